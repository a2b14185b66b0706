import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { predictionColumns } from '../src/domain/prediction.ts'
import type { Program } from '../src/domain/program.ts'
import { appendCommit, nextCommit, paddedSequence } from '../src/lake/commits.ts'
import { Database, quoteName, quoteText } from '../src/lake/database.ts'
import { publish } from '../src/lake/durable-files.ts'
import { openLake } from '../src/lake/lake.ts'
import { readProgram } from '../src/lake/program-file.ts'

const yaml = `program: many
currency: EUR
timezone: UTC
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes:
  churn: { event: [cancel] }
  upsell: { event: [upgrade], desired: true }
  advocacy: { event: [referral], desired: true }
value: { annual_value: { column: annual_value }, margin: 0.4, upsell: 100, advocacy: 50 }
`

/** The day whose predictions are made. */
export const madeDay = '2026-11-20'

/** Of each task, as long as those of a simulated company: three behaviours and what they leave over. */
const driver = (task: string, place: number) =>
  `{"feature":"ticket_count_${place}","words":"number of tickets in the last ${place} days","value":' || (n % 9) || ',"effect":' || round((hash(n, ${place}) % 1000) / 100000, 6) || ',"unit":"probability","outcome":"${task}"}`
const drivers = ['churn', 'upsell', 'advocacy', 'nps']
  .flatMap((task) => [30, 60, 90, 365].map((place) => driver(task, place)))
  .join(',')

/** A program with so many predicted customers, made without a model: only how fast they are served is measured. */
export async function makeManyPredictions(
  folder: string,
  customers: number,
): Promise<{ program: Program; path: string; dataFolder: string }> {
  const path = join(folder, 'program.yaml')
  const dataFolder = join(folder, 'data')
  await mkdir(folder, { recursive: true })
  await writeFile(path, yaml)
  await writeFile(join(folder, 'events.csv'), 'customer_id,at,type\nc0000001,2026-01-01,login\n')
  const program = await readProgram(path, {})
  const lake = await openLake(dataFolder, program)
  if (lake.state.predictions.get(madeDay)?.rows === customers) return { program, path, dataFolder }
  const sequence = lake.state.sequence + 1
  const place = join('predictions', `date=${madeDay}`, `${paddedSequence(sequence)}.parquet`)
  const staged = join(lake.folder, 'staging', 'made.parquet')
  await mkdir(join(lake.folder, 'staging'), { recursive: true })
  const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
  const columns = predictionColumns(program).map(
    ({ name, type }) => `${madeValue(name, type)} as ${quoteName(name)}`,
  )
  await database.run(
    `copy (select ${columns.join(', ')} from range(${customers}) as customers(n)) to ${quoteText(staged)} (format parquet, compression zstd, row_group_size 16384)`,
  )
  database.close()
  await publish(staged, join(lake.folder, place))
  const day = {
    date: madeDay,
    path: place,
    rows: customers,
    predicted: customers,
    modelVersion: `${madeDay}-1`,
    lakeCommit: 0,
  }
  const commit = nextCommit(lake.state, { at: `${madeDay}T05:00:00Z`, timezone: 'UTC' })
  await appendCommit(lake.folder, { ...commit, predictions: [day] })
  return { program, path, dataFolder }
}

/** Id of a customer. */
export function customerId(n: number): string {
  return `c${String(n).padStart(7, '0')}`
}

/** SQL: a value of a column that looks like those of a simulated company. */
function madeValue(name: string, type: string): string {
  const fixed: Readonly<Record<string, string>> = {
    program: "'many'",
    customer_id: "'c' || lpad(n::varchar, 7, '0')",
    date: `date '${madeDay}'`,
    model_version: `'${madeDay}-1'`,
    status: "'predicted'",
    nps_class: "['detractor', 'passive', 'promoter'][1 + n % 3]",
    next_likely: "case when n % 5 = 0 then 'upsell' end",
    segment: "case when n % 7 = 0 then 'at-risk-passives' when n % 11 = 0 then 'silent-detractors' end",
    top_drivers: `'[${drivers}]'`,
    flags: `'{"nps":"model","churn":"model","upsell":"model","advocacy":"model","drivers":"additive"}'`,
  }
  if (name in fixed) return fixed[name]
  return type === 'double' ? `round((hash(n, '${name}') % 1000000) / 1000000, 6)` : 'null::varchar'
}
