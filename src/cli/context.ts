import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { isDay } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { readProgram } from '../lake/program-file.ts'
import { terminalReporter } from './reporter.ts'
import { readSettings } from './settings.ts'

/** What every command knows: folders, seed, clock, where to say things. */
export interface Context {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly seed: number
  /** Of a new lake; null: not said. */
  readonly buckets: number | null
  readonly isJson: boolean
  /** ISO 8601. */
  readonly now: string
  /** The same, whenever it is called. */
  readonly clock: () => string
  /** A new id that nobody guesses: 14 small letters and digits. */
  readonly makeId: () => string
  /** 32 random bytes as base64url. */
  readonly makeSecret: () => string
  /** Milliseconds since some moment. */
  readonly stopwatch: () => number
  readonly reporter: Reporter & { end(): void }
  /** Paths of the command line start here. */
  readonly callerFolder: string
  readProgram(path: string): Promise<Program>
}

interface CommonOptions {
  readonly data?: string
  readonly models?: string
  readonly seed?: string
  readonly json?: boolean
}

/** Adds the options that every command takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'folder of the lake (LOYALCAST_DATA; default data)')
    .option('--models <dir>', 'folder of the model versions (LOYALCAST_MODELS; default models)')
    .option('--seed <n>', 'seed of everything random (LOYALCAST_SEED; default 1)')
    .option('--json', 'one JSON document on stdout instead of words')
}

/** Reads the common options, given before or after the command's arguments, and the environment. */
export function contextOf(command: Command): Context {
  const options = command.optsWithGlobals<CommonOptions>()
  const { env } = process
  const callerFolder = env.INIT_CWD ?? process.cwd()
  const given = readSettings(env, ['DATA', 'MODELS', 'SEED', 'BUCKETS', 'JSON', 'NOW'])
  const seed = options.seed === undefined ? given.SEED : Number(options.seed)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw usageError('seed', `--seed is ${options.seed}; it is a whole number from 0 on.`)
  const clock = () => given.NOW ?? new Date().toISOString()
  return {
    dataFolder: resolve(callerFolder, options.data ?? given.DATA),
    modelsFolder: resolve(callerFolder, options.models ?? given.MODELS),
    seed,
    buckets: given.BUCKETS,
    isJson: options.json ?? given.JSON,
    now: clock(),
    clock,
    makeId: () =>
      BigInt(`0x${randomBytes(9).toString('hex')}`)
        .toString(36)
        .padStart(14, '0'),
    makeSecret: () => randomBytes(32).toString('base64url'),
    // With a clock that was given everything repeats.
    stopwatch: given.NOW ? () => 0 : () => performance.now(),
    reporter: terminalReporter(),
    callerFolder,
    readProgram: (path) => readProgram(resolve(callerFolder, path), env),
  }
}

/** A day given on the command line. */
export function dayOption(name: string, value: string | undefined): string | undefined {
  if (value !== undefined && !isDay(value))
    throw usageError('day', `${name} is ${value}; a day looks like 2026-11-20.`)
  return value
}

/** A number of rows given on the command line. */
export function maxRowsOption(value: string): number {
  const maxRows = Number(value)
  if (Number.isSafeInteger(maxRows) && maxRows >= 1) return maxRows
  throw usageError('max-rows', `--max-rows is ${value}; it is a whole number from 1 on.`)
}

/** Prints a command's result: one JSON document on stdout, or words on stderr. */
export function printResult(context: Context, document: unknown, words: string): void {
  context.reporter.end()
  if (context.isJson) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  else process.stderr.write(`${words.trimEnd()}\n`)
}
