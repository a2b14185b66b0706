import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { main } from '../../src/cli/main.ts'

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
  /** Called with the process, once it is begun. */
  readonly onStart?: (child: ChildProcess) => void
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
  options.onStart?.(child)
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

/** Runs `loyalcast` within this process: the same commands without the time that a start takes. One at a time. */
export async function loyalcastHere(args: readonly string[]): Promise<Finished> {
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((...given: unknown[]) => {
      said[name] += String(given[0])
      const done = given.findLast((one) => typeof one === 'function')
      if (typeof done === 'function') done()
      return true
    }),
  )
  const { exitCode } = process
  process.exitCode = 0
  try {
    await main(['node', 'loyalcast', ...args])
    return { code: process.exitCode, ...said }
  } finally {
    process.exitCode = exitCode
    for (const spy of spies) spy.mockRestore()
  }
}
