import { type ChildProcess, spawn } from 'node:child_process'
import { failure } from '../../domain/errors.ts'
import type { Program } from '../../domain/program.ts'
import { isOpen, type RunRecord } from '../../domain/run.ts'
import type { RunEnd, RunRecords } from '../../lake/run-records.ts'

/** How this program is started anew, to do the work of a run. */
export interface RunCommand {
  /** Such as `node` and the path of the script. */
  readonly words: readonly string[]
  /** Of every command: where the data and the versions are. */
  readonly options: readonly string[]
  /** Name of a program → absolute path of its file. */
  readonly programFiles: ReadonlyMap<string, string>
}

export interface ChildRun {
  readonly program: Pick<Program, 'name'>
  readonly records: RunRecords
  readonly run: RunRecord
  readonly command: RunCommand
  /** ISO 8601. */
  readonly clock: () => string
  /** Aborted when this process ends. */
  readonly stop: AbortSignal
}

/** Between two looks at whether the run is still wanted, in milliseconds. */
const lookMs = 500
/** Most characters of what a child said that are kept. */
const mostSaid = 2000

/**
 * Does a run in a process of its own and sees to it that its record says how it ended. Hold the run as its keeper.
 *
 * **Errors** `run-died` where the process died on the way: begin it again, or say that it failed. `run-left` where this
 * process ends and the queue gives the run to another one.
 */
export async function runInChild(child: ChildRun): Promise<void> {
  const { records, run, clock } = child
  const ended = await watchChild(child)
  const left = await records.find(run.number)
  if (left === null || !isOpen(left)) return
  if (child.stop.aborted && run.queue === 'redis' && !records.isUnwanted(run.number))
    throw failure('run-left', 'This process was stopped; another one takes the run.')
  const end = endOf(ended, { isBegun: left.attempts > run.attempts, ...child })
  if (end === null) throw failure('run-died', diedWords(ended))
  await records.end(run.number, { at: clock(), ...end })
}

interface Ended {
  /** Null: it was killed. */
  readonly code: number | null
  readonly signal: string | null
  /** The last that it said to people. */
  readonly said: string
}

function diedWords({ code, signal }: Ended): string {
  return `Its process ended in the middle (${signal ?? `exit code ${code}`}).`
}

/** How a run ended whose process did not say so itself; null: the process died. */
function endOf(
  { code, said }: Ended,
  { isBegun, records, run, stop }: ChildRun & { readonly isBegun: boolean },
): Omit<RunEnd, 'at'> | null {
  if (records.isUnwanted(run.number)) return { status: 'cancelled' }
  if (stop.aborted) return { status: 'interrupted' }
  if (isBegun || code === null) return null
  const message = said.trim() || `The command ended with the exit code ${code}.`
  return { status: 'failed', problem: { kind: code === 2 ? 'usage' : 'failed', code: 'command', message } }
}

/** Starts the process and waits for its end, which comes soon where it is not wanted any more. */
async function watchChild({ records, run, command, program, stop }: ChildRun): Promise<Ended> {
  const child = spawnRun(command, program, run)
  const kill = () => child.kill('SIGTERM')
  const timer = setInterval(() => {
    if (records.isUnwanted(run.number)) kill()
  }, lookMs)
  stop.addEventListener('abort', kill)
  if (stop.aborted) kill()
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-mostSaid)
  })
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal, said }))
    })
  } finally {
    clearInterval(timer)
    stop.removeEventListener('abort', kill)
  }
}

/** The channel tells the child when this process is gone. */
function spawnRun(
  { words, options, programFiles }: RunCommand,
  { name }: Pick<Program, 'name'>,
  run: RunRecord,
): ChildProcess {
  const [executable, ...script] = words
  const path = programFiles.get(name)
  if (path === undefined)
    throw failure('worker', `This process does not know the program ${name}; start it with its program file.`)
  const { asked, number } = run
  const args = [...script, asked.kind, path, ...optionsOf(asked), ...options, '--run', String(number)]
  return spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
}

function optionsOf(asked: RunRecord['asked']): string[] {
  if (asked.kind === 'daily') return ['--date', asked.date]
  const { asOf, maxRows } = asked
  return [
    ...(asOf === null ? [] : ['--as-of', asOf]),
    ...(maxRows === null ? [] : ['--max-rows', String(maxRows)]),
  ]
}
