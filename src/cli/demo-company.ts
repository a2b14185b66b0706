import { join } from 'node:path'
import { readSimulation, simulateCompany } from '../../training/synthetic/company.ts'
import { train } from '../../training/train.ts'
import { addDays, type Day, localDay } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { predictDay } from '../jobs/daily.ts'
import { ingest } from '../jobs/ingest.ts'
import { openLake } from '../lake/lake.ts'
import { Registry } from '../model/registry.ts'
import type { Context } from './context.ts'

/** Days that are predicted, one by one; the version learns from nothing after the day before the first. */
const predictedDays = 30

export interface DemoSizes {
  readonly customers: number
  readonly days: number
  /** Of the training table. */
  readonly maxRows: number
}

export interface DemoMade {
  readonly program: Program
  readonly programFile: string
  readonly modelVersion: string
  readonly firstDate: Day
  readonly lastDate: Day
}

/**
 * The simulated company from nothing to predictions of its last 30 days. Each step is taken up where it was left:
 * what is there already is not made again.
 */
export async function makeDemo(context: Context, sizes: DemoSizes): Promise<DemoMade> {
  const folder = join(context.dataFolder, 'demo')
  const lastDate = await simulate(context, folder, sizes)
  const programFile = join(folder, 'program.yaml')
  const program = await context.readProgram(programFile)

  const stepIngest = startStep(context, 2, 'Reading its rows into the lake')
  await ingest(program, context)
  stepIngest()

  const trainedUntil = addDays(lastDate, -predictedDays)
  const modelVersion = await trainOnce(program, context, { asOf: trainedUntil, maxRows: sizes.maxRows })
  await predictDays(program, context, { modelVersion, lastDate })
  return { program, programFile, modelVersion, firstDate: addDays(trainedUntil, 1), lastDate }
}

/** @returns the last day with data */
async function simulate(context: Context, folder: string, sizes: DemoSizes): Promise<Day> {
  const { customers, days } = sizes
  const made = await readSimulation(folder)
  if (made !== null) {
    if (made.customers !== customers || made.days !== days || made.seed !== context.seed)
      throw usageError(
        'demo-folder',
        `${folder} holds a company of ${made.customers} customers, ${made.days} days and seed ${made.seed}. Ask for the same, name another --data folder, or delete this one.`,
      )
    say(context, `1/4 The simulated company is there, up to ${made.lastDay}`)
    return made.lastDay
  }
  const done = startStep(context, 1, `Simulating a company of ${customers} customers over ${days} days`)
  const lastDay = addDays(localDay(context.now, 'UTC'), -1)
  await simulateCompany({ ...context, folder, customers, days, lastDay })
  done()
  return lastDay
}

async function trainOnce(
  program: Program,
  context: Context,
  options: { asOf: Day; maxRows: number },
): Promise<string> {
  const champion = await new Registry(context.modelsFolder, program.name).champion()
  if (champion !== null) {
    say(context, `3/4 Version ${champion} is there`)
    return champion
  }
  const done = startStep(context, 3, `Learning from what happened up to ${options.asOf}`)
  const { version } = await train(program, { ...context, ...options })
  done()
  return version
}

async function predictDays(
  program: Program,
  context: Context,
  { modelVersion, lastDate }: { modelVersion: string; lastDate: Day },
): Promise<void> {
  const { predictions } = (await openLake(context.dataFolder, program)).state
  const dates = Array.from({ length: predictedDays }, (_, index) =>
    addDays(lastDate, index + 1 - predictedDays),
  )
  const missing = dates.filter((date) => predictions.get(date)?.modelVersion !== modelVersion)
  if (missing.length === 0) {
    say(context, `4/4 The predictions of ${dates[0]} to ${lastDate} are there`)
    return
  }
  const done = startStep(context, 4, `Predicting every customer on each of the last ${predictedDays} days`)
  const { warn } = context.reporter
  const reporter = { progress: () => {}, warn }
  for (const [index, date] of missing.entries()) {
    context.reporter.progress({ phase: 'predict', done: index, total: missing.length, note: date })
    await predictDay(program, { ...context, date, reporter })
  }
  done()
}

/** Announces a step of the demo. @returns to be called when it is done */
function startStep(context: Context, number: number, words: string): () => void {
  const started = performance.now()
  say(context, `${number}/4 ${words} …`)
  return () => say(context, `    done in ${((performance.now() - started) / 1000).toFixed(0)} s`)
}

function say({ reporter }: Context, line: string): void {
  reporter.end()
  process.stderr.write(`${line}\n`)
}
