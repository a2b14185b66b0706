import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { addDays, type Day, daysBetween } from '../../src/domain/days.ts'
import { usageError } from '../../src/domain/errors.ts'
import type { Reporter } from '../../src/domain/progress.ts'
import { Database } from '../../src/lake/database.ts'
import { makeFolder, publish } from '../../src/lake/durable-files.ts'
import type { Answering } from './answers.ts'
import { bornCustomer, type Run } from './customer.ts'
import { priceDays } from './feelings.ts'
import {
  type FileOptions,
  summariseTruth,
  writeCustomers,
  writeEvents,
  writeInterventions,
  writeResponses,
  writeTrueEffects,
  writeTruth,
} from './files.ts'
import { liveThrough } from './life.ts'
import { makeOutages } from './outages.ts'
import { programText } from './program-text.ts'
import { Records } from './records.ts'
import { Truth } from './truth.ts'

export interface CompanyOptions {
  /** Absent, empty or with an earlier simulation, which is replaced. */
  readonly folder: string
  /** Customers who ever joined. @default 5000 */
  readonly customers?: number
  /** Days simulated, at least 150. @default 548 */
  readonly days?: number
  readonly seed: number
  /** The last simulated day. */
  readonly lastDay: Day
  /** What answering a survey depends on. @default 'observed' */
  readonly answering?: Answering
  /** Days at whose end the truth about everybody is written down. @default none */
  readonly truthDays?: readonly Day[]
  /** Futures that true chances are averaged over. @default 200 */
  readonly replications?: number
  readonly reporter: Reporter
}

export interface SimulatedCompany {
  readonly programFile: string
  readonly customers: number
  readonly events: number
  readonly responses: number
}

/** What a folder that holds a simulation is known by. */
const markFile = 'simulation.json'
/** Rows of events in memory, and in a file. */
const mostEvents = 1_000_000
/** Beyond so many customers the effects of initiatives are told of an even sample of them. */
const mostAssigned = 20_000
/** Customers between two looks at how many rows there are. */
const atOnce = 500

export const fewestDays = 150
export const mostDays = 3660
export const mostCustomers = 50_000_000

/**
 * Simulates a subscription company by the laws of `laws.ts` and writes its data, its program file and what is true.
 *
 * The same options give the same rows. Memory does not grow with the number of customers but for their attribute rows,
 * which DuckDB spills. The folder appears complete or not at all.
 *
 * **Errors** `simulate-folder`, `simulate-size`, `simulate-truth`.
 */
export async function simulateCompany(options: CompanyOptions): Promise<SimulatedCompany> {
  const settings = checkedOptions(options)
  const { folder } = settings
  await refuseOtherFolders(folder)
  await sweepLeftovers(folder)
  const staging = `${folder}.simulating-${process.pid}`
  try {
    await makeFolder(staging)
    const counts = await writeCompany({ ...settings, folder: staging })
    await replaceFolder(staging, folder)
    return { programFile: join(folder, 'program.yaml'), ...counts }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

type Settings = Required<CompanyOptions>

const defaults = {
  customers: 5000,
  days: 548,
  answering: 'observed',
  truthDays: [],
  replications: 200,
} as const

function checkedOptions(options: CompanyOptions): Settings {
  const settings: Settings = {
    ...defaults,
    ...options,
  }
  const { customers, days, lastDay, truthDays } = settings
  const whole = (value: number, [least, most]: readonly [number, number], what: string) => {
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw usageError(
        'simulate-size',
        `${what}: found ${value}; allowed: a whole number from ${least} to ${most}.`,
      )
  }
  whole(customers, [1, mostCustomers], 'customers')
  whole(days, [fewestDays, mostDays], 'days')
  for (const day of truthDays) {
    const back = daysBetween(day, lastDay)
    if (back < 0 || back >= days)
      throw usageError(
        'simulate-truth',
        `The truth of ${day} cannot be told: the simulated days are ${addDays(lastDay, 1 - days)} to ${lastDay}.`,
      )
  }
  return settings
}

async function writeCompany(settings: Settings): Promise<Omit<SimulatedCompany, 'programFile'>> {
  const { folder, lastDay, days } = settings
  const spillFolder = join(folder, 'spill')
  for (const name of ['events', 'responses', 'truth']) await mkdir(join(folder, name))
  const database = await Database.open({ spillFolder, timezone: 'UTC', memoryLimit: '1GB' })
  try {
    const counts = await simulateInto(database, settings)
    const { answering, seed, truthDays } = settings
    await writeFile(join(folder, 'program.yaml'), programText(lastDay))
    const made = { seed, days, lastDay, answering, truthDays, ...counts }
    await writeFile(join(folder, markFile), `${JSON.stringify(made, null, 2)}\n`)
    return counts
  } finally {
    database.close()
    await rm(spillFolder, { recursive: true, force: true })
  }
}

async function simulateInto(
  database: Database,
  settings: Settings,
): Promise<Omit<SimulatedCompany, 'programFile'>> {
  const { folder, seed, days, customers, answering, lastDay, reporter } = settings
  const run: Run = { seed, days }
  const world = { outages: makeOutages(seed, { firstDay: 0, days }), priceDays: priceDays(days) }
  const records = new Records()
  const truth = new Truth({
    run,
    priceDays: world.priceDays,
    days: settings.truthDays.map((day) => days - 1 - daysBetween(day, lastDay)),
    replications: settings.replications,
    every: Math.ceil(customers / mostAssigned),
  })
  const sheets = [records.customers, records.interventions, truth.effectSheet, ...truth.sheets.values()]
  for (const sheet of [records.events, records.responses, ...sheets]) await sheet.create(database)
  const files: FileOptions = { folder, firstDay: addDays(lastDay, 1 - days) }
  const counts = { customers, events: 0, responses: 0 }
  for (let first = 0, part = 0; first < customers; first += atOnce) {
    const next = Math.min(customers, first + atOnce)
    for (let index = first; index < next; index++)
      liveThrough(bornCustomer(run, index), { days, world, answering, records, watcher: truth })
    for (const sheet of sheets) await sheet.flush(database)
    reporter.progress({ phase: 'simulate', done: next, total: customers })
    if (next < customers && records.events.rows < mostEvents) continue
    counts.events += records.events.rows
    counts.responses += records.responses.rows
    await records.events.flush(database)
    await records.responses.flush(database)
    await writeEvents(database, part, files)
    await writeResponses(database, part, files)
    part++
  }
  await writeCustomers(database, files)
  await writeInterventions(database, files)
  await writeTruths(database, truth, settings)
  return counts
}

async function writeTruths(
  database: Database,
  truth: Truth,
  { folder, truthDays, lastDay, days }: Settings,
): Promise<void> {
  const summary: Record<string, unknown> = {}
  for (const day of truthDays) {
    const table = `truth_${days - 1 - daysBetween(day, lastDay)}`
    await writeTruth(database, { table, file: join(folder, 'truth', `${day}.parquet`) })
    summary[day] = await summariseTruth(database, table)
  }
  await writeTrueEffects(database, join(folder, 'truth', 'effects'))
  const write = (name: string, content: unknown) =>
    writeFile(join(folder, 'truth', name), `${JSON.stringify(content, null, 2)}\n`)
  await write('summary.json', summary)
  await write('initiatives.json', truth.effects())
}

const simulation = z.object({
  customers: z.number(),
  days: z.number(),
  seed: z.number(),
  lastDay: z.string(),
})

/** What an earlier simulation in the folder was made of; null where there is none. */
export async function readSimulation(folder: string): Promise<z.infer<typeof simulation> | null> {
  const mark = join(folder, markFile)
  return existsSync(mark) ? simulation.parse(JSON.parse(await readFile(mark, 'utf8'))) : null
}

async function refuseOtherFolders(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR')
      throw usageError('simulate-folder', `${folder} is a file; a company needs a folder.`)
    throw error
  })
  if (names.length > 0 && !names.includes(markFile))
    throw usageError(
      'simulate-folder',
      `${folder} holds other things, ${names[0]} among them. Name a folder that does not exist, is empty or holds an earlier simulation.`,
    )
}

/** Removes what killed runs left beside the folder. */
async function sweepLeftovers(folder: string): Promise<void> {
  const names = await readdir(dirname(folder)).catch(() => [])
  for (const name of names) {
    const id = name.startsWith(`${basename(folder)}.simulating-`)
      ? Number(name.split('-').at(-1))
      : Number.NaN
    if (Number.isNaN(id) || isRunning(id)) continue
    await rm(join(dirname(folder), name), { recursive: true, force: true })
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function replaceFolder(staging: string, folder: string): Promise<void> {
  const old = `${staging}-old`
  await rename(folder, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await publish(staging, folder)
  await rm(old, { recursive: true, force: true })
}
