import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface Finished {
  /** Null: it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly folder?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Called with each piece of stderr, and the process. */
  readonly onStderr?: (text: string, child: ChildProcess) => void
}

/** Runs `loyalcast` as a person would, in a process of its own. */
export function loyalcast(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  const { INIT_CWD, ...inherited } = process.env
  const child = spawn(process.execPath, [join(root, 'bin', 'loyalcast.mjs'), ...args], {
    cwd: options.folder ?? root,
    env: { ...inherited, LOYALCAST_NOW: '2026-11-20T12:00:00Z', ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text
    options.onStderr?.(text, child)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}
