import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readProgram } from '../src/lake/program-file.ts'
import { shuffledIndices } from '../src/model/folds.ts'
import { loyalcast } from './commands.ts'
import { explainRows } from './driver-explanations.ts'
import { driverReport } from './driver-report.ts'
import { readServedDay } from './scored-day.ts'
import { futuresAfter, hiddenStates, movementsOf } from './true-causes.ts'

/** A fixed day, so that figures repeat whenever the measurement is made. */
const lastDay = '2026-10-31'
const days = 548
/** Others that a customer is compared with: by drivers as the daily run does, and in the truth. */
const othersCompared = { drivers: 64, truth: 40 }
/** Futures that a true figure is averaged over; all luck is the same with and without a cause, so few do. */
const replications = 8

/**
 * `npm run bench:drivers [-- --customers N --explained N --folder DIR]`: how often the drivers of a simulated company's
 * forecasts name what really moved a customer, and how often the additive ones agree with the exact ones on the first.
 * With a folder its company and version are kept there, and taken up by the next run.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      customers: { type: 'string', default: '5000' },
      explained: { type: 'string', default: '400' },
      seed: { type: 'string', default: '1' },
      'max-rows': { type: 'string', default: '40000' },
      folder: { type: 'string' },
    },
  })
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'loyalcast-drivers-')))
  try {
    await makeVersion(folder, { ...values, maxRows: values['max-rows'] })
    const size = { customers: Number(values.customers), explained: Number(values.explained) }
    process.stdout.write(await judge(folder, { ...size, seed: Number(values.seed) }))
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true })
  }
}

const places = (folder: string) => ({
  company: join(folder, 'company'),
  program: join(folder, 'company', 'program.yaml'),
  dataFolder: join(folder, 'data'),
  modelsFolder: join(folder, 'models'),
})

async function makeVersion(
  folder: string,
  { customers, seed, maxRows }: { customers: string; seed: string; maxRows: string },
): Promise<void> {
  const { company, program, dataFolder, modelsFolder } = places(folder)
  if (existsSync(modelsFolder)) return
  const common = ['--data', dataFolder, '--models', modelsFolder, '--seed', seed]
  const size = ['--customers', customers, '--days', String(days), '--last-day', lastDay]
  await loyalcast(['simulate', company, ...size, ...common], {})
  await loyalcast(['train', program, '--as-of', lastDay, '--max-rows', maxRows, ...common], {})
}

async function judge(
  folder: string,
  { customers, explained, seed }: { customers: number; explained: number; seed: number },
): Promise<string> {
  const { program: path, ...folders } = places(folder)
  const program = await readProgram(path, {})
  const day = await readServedDay(program, { ...folders, date: lastDay })
  const run = { seed, days }
  const hidden = hiddenStates(run, { customers, answering: 'observed' })
  const stateOf = (row: number) => {
    const state = hidden.get(Number(day.customers[row].slice(1)) - 1)
    if (state === undefined) throw new Error(`The simulation knows nothing of ${day.customers[row]}.`)
    return state
  }
  const drawn = (count: number, luck: number) =>
    Array.from(shuffledIndices(day.frame.rows, seed + luck).slice(0, count))
  const rows = drawn(explained, 0)
  const others = drawn(othersCompared.truth, 1).map(stateOf)
  const futures = futuresAfter(run, replications)
  const explanations = explainRows(day, { rows, others: drawn(othersCompared.drivers, 2) })
  const movements = rows.map((row) => movementsOf(stateOf(row), { others, futures }))
  return driverReport({ movements, explanations })
}
