import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { type Prepared, prepare } from '../../training/prepare.ts'
import { LoyalcastError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { nextDue } from '../domain/schedule.ts'
import { copySent } from '../jobs/copy-sent.ts'
import { type IngestReport, ingest } from '../jobs/ingest.ts'
import { Database } from '../lake/database.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { firstRefused } from '../lake/quarantine.ts'
import { isSent } from '../lake/readings.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { findProblems } from './check-findings.ts'
import { type CheckedSource, checkInWords, type ProgramCheck } from './check-words.ts'
import { type Context, contextOf, printResult } from './context.ts'

/** Rows of the training table that are looked at. */
const mostRows = 100_000

/** `loyalcast check PROGRAM`: what is there, what is wrong, what can be predicted. Changes nothing. */
export function checkCommand(): Command {
  return new Command('check')
    .description('reads config and sources and says what can and cannot be predicted; changes nothing')
    .argument('<program>', 'path of a program file')
    .action(async (path: string, _: unknown, command: Command) => {
      const context = contextOf(command)
      const program = await context.readProgram(path)
      const checked = await inScratchFolder(async (dataFolder) => {
        const isRebuild = await copySent(program, context.dataFolder, dataFolder)
        return checkProgram(program, { ...context, dataFolder }, isRebuild)
      })
      printResult(context, checked, checkInWords(checked))
      if (checked.problems.some(({ level }) => level === 'error')) process.exitCode = 2
      else if (checked.predictable.length === 0) process.exitCode = 3
    })
}

/** A folder that is gone afterwards, also when a person stops the command. */
function inScratchFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  return withScratchFolder(tmpdir(), async (folder) => {
    const stop = () => {
      rmSync(folder, { recursive: true, force: true })
      process.exit(1)
    }
    process.once('SIGINT', stop).once('SIGTERM', stop)
    try {
      return await work(folder)
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop)
    }
  })
}

async function checkProgram(program: Program, context: Context, isRebuild: boolean): Promise<ProgramCheck> {
  const notes: string[] = []
  const reporter = { ...context.reporter, warn: (sentence: string) => notes.push(sentence) }
  const report = await ingest(program, { ...context, reporter, isRebuild })
  const lake = await openLake(context.dataFolder, program)
  const prepared = await prepareOrExplain(program, { ...context, reporter: { ...reporter, warn: () => {} } })
  const problems = [
    ...findProblems(program, lake.state, context.now),
    ...notes.map((words) => ({ level: 'warning' as const, words })),
  ]
  return {
    program: program.name,
    sources: await describeSources(lake, [...report.sources, ...sentEarlier(lake, report)]),
    ...(typeof prepared === 'string'
      ? {
          asOf: null,
          rowsToLearnFrom: 0,
          predictable: [],
          notPredictable: { everything: prepared },
          leaks: [],
        }
      : describeTasks(program, prepared)),
    schedule: scheduleOf(program, context.now),
    problems,
  }
}

function scheduleOf({ schedule, timezone }: Program, now: string): ProgramCheck['schedule'] {
  return schedule === null ? null : { schedule, timezone, next: nextDue({ schedule, timezone }, now) }
}

/** What there is to learn from, or a sentence that says why there is nothing. */
async function prepareOrExplain(program: Program, context: Context): Promise<Prepared | string> {
  try {
    return await prepare(program, { ...context, maxRows: mostRows })
  } catch (error) {
    if (error instanceof LoyalcastError && error.code === 'no-data')
      return Object.values(program.sources).flat().length > 0
        ? 'The sources have no row with a date that could be taken.'
        : 'There are no sources, and nothing with a date has been sent through the API.'
    throw error
  }
}

/** What was sent, and was in the lake before this check. */
function sentEarlier({ state }: Lake, report: IngestReport) {
  const reported = new Set(report.sources.map(({ source }) => source))
  return [...state.sources.values()]
    .filter((reading) => isSent(reading) && !reported.has(reading.key))
    .map(({ key, table, counts, reasons }) => ({ source: key, table, ...counts, reasons }))
}

async function describeSources(
  { folder, state }: Lake,
  reports: readonly Omit<CheckedSource, 'parts' | 'columns' | 'refused'>[],
): Promise<CheckedSource[]> {
  const paths = [...state.sources.values()].flatMap(({ quarantine }) => quarantine)
  const database = await Database.open({ spillFolder: join(folder, 'spill-check'), timezone: 'UTC' })
  try {
    const files = paths.map((path) => join(folder, path))
    const refused = await firstRefused(database, files)
    return reports.map(({ source, table, read, stored, duplicate, quarantined, reasons }) => {
      const reading = state.sources.get(source)
      return {
        ...{ source, table, read, stored, duplicate, quarantined, reasons },
        parts: Object.entries(reading?.spans ?? {}).map(([part, span]) => ({ part, ...span })),
        columns: reading?.columns ?? {},
        refused: refused.filter((row) => row.source === source),
      }
    })
  } finally {
    database.close()
  }
}

function describeTasks(program: Program, { tasks, leaks, dataset, asOf }: Prepared) {
  return {
    asOf,
    rowsToLearnFrom: dataset.cutoff.length,
    predictable: [
      ...(tasks.hasAnswers ? ['nps'] : []),
      ...tasks.outcomes.flatMap(({ outcome, intervals }) =>
        program.horizonsDays.slice(0, intervals).map((days) => `${outcome.name}_${days}`),
      ),
    ],
    notPredictable: Object.fromEntries(
      Object.entries(tasks.skipped).map(([task, { words }]) => [task, words]),
    ),
    leaks: leaks.map(({ origin, outcome, words, isAccepted }) => ({ origin, outcome, words, isAccepted })),
  }
}
