import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { MadeProgram } from '../programs.ts'

/** A server in a process of its own. */
export interface ServedProcess {
  readonly url: string
  /** From the start of the process until it listens. */
  readonly startMs: number
  /** Ends it as a power cut would end the process. */
  kill(): Promise<void>
}

const binary = join(import.meta.dirname, '../../bin/loyalcast.mjs')

/** Starts `loyalcast serve` on any free port. */
export async function startProcess(
  made: Pick<MadeProgram, 'path' | 'dataFolder' | 'modelsFolder'>,
  key: string,
): Promise<ServedProcess> {
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  const started = performance.now()
  const child = spawn(process.execPath, [binary, 'serve', made.path, ...folders, '--port', '0'], {
    env: { ...process.env, LOYALCAST_API_KEY: key, LOYALCAST_NOW: '2026-11-20T12:00:00Z' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const url = await listening(child)
  const startMs = performance.now() - started
  const kill = async () => {
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
  return { url, startMs, kill }
}

function listening(child: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.on('close', () => reject(new Error(`The server ended: ${said}`)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000)
      const url = /Server listening at (http:[^"]+)/.exec(said)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
}
