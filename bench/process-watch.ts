import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { binary, checkout } from './commands.ts'

/** What a command took, as Linux counted it for its process with all its threads. */
export interface Used {
  readonly wallSeconds: number
  /** Of all processors together. */
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** Asked of the system, whether from the disk or from its memory. */
  readonly readBytes: number
  readonly writtenBytes: number
  readonly stdout: string
}

const betweenLooksMs = 100

/** Runs a command of Loyalcast as a user would and watches its process. Fails on any exit code but 0. */
export function watchLoyalcast(args: readonly string[], environment: Environment = {}): Promise<Used> {
  return watch(process.execPath, [binary, ...args], environment)
}

type Environment = Readonly<Record<string, string>>

/** The same for any program. */
export async function watch(
  command: string,
  args: readonly string[],
  environment: Environment = {},
): Promise<Used> {
  const started = performance.now()
  const child = spawn(command, args, {
    env: { ...process.env, INIT_CWD: checkout, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (part: Buffer) => {
    said.stdout += part
  })
  child.stderr.on('data', (part: Buffer) => {
    said.stderr += part
  })
  let seen: Seen = { cpuSeconds: 0, peakBytes: 0, readBytes: 0, writtenBytes: 0 }
  const look = async () => {
    seen = (await lookAt(child.pid ?? 0)) ?? seen
  }
  const timer = setInterval(look, betweenLooksMs)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearInterval(timer)
  const wallSeconds = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`${args.join(' ')} exited with ${code}:\n${said.stderr}`)
  return { wallSeconds, ...seen, stdout: said.stdout }
}

export type Seen = Omit<Used, 'wallSeconds' | 'stdout'>

/** What a process took until now; null once it is gone. */
export async function lookAt(pid: number): Promise<Seen | null> {
  try {
    const [status, stat, io] = await Promise.all(
      ['status', 'stat', 'io'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
    )
    const numberOf = (text: string, name: string) =>
      Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1])
    const peakBytes = 1024 * numberOf(status, 'VmHWM')
    // Behind the name in brackets, which may hold anything, the 12th and 13th are ticks of a hundredth of a second.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const cpuSeconds = (Number(ticks[11]) + Number(ticks[12])) / 100
    const seen = {
      cpuSeconds,
      peakBytes,
      readBytes: numberOf(io, 'rchar'),
      writtenBytes: numberOf(io, 'wchar'),
    }
    return Number.isNaN(peakBytes) ? null : seen
  } catch {
    return null
  }
}
