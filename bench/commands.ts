import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** What users run. */
export const binary = fileURLToPath(new URL('../../bin/loyalcast.mjs', import.meta.url))

/** The checkout. */
export const checkout = root

/** Runs a command as a user would and returns what it printed on stdout. Fails on any exit code but 0. */
export async function loyalcast(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(process.execPath, [binary, ...args], {
    env: { ...process.env, INIT_CWD: root, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part: Buffer) => {
    stdout += part
  })
  child.stderr.on('data', (part: Buffer) => {
    stderr += part
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`loyalcast ${args.join(' ')} exited with ${code}:\n${stderr}`)
  return stdout
}
