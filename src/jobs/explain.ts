import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { type FeatureFrame, lakeRelations, makeDaySpine, readFeatures } from '../features/features.ts'
import { lastDayWithData } from '../lake/coverage.ts'
import type { Database } from '../lake/database.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { withScratchDatabase } from '../lake/scratch-database.ts'
import { type ExactExplanation, explainExactly } from '../model/exact-drivers.ts'
import type { Predictor } from '../model/predictor.ts'
import { loadChampion } from '../model/stored-predictor.ts'
import { readCompared } from './compared-customers.ts'

export interface ExplainOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly customerId: string
  /** Default: the last day with data. */
  readonly date?: Day
  readonly seed: number
}

export interface ExplainReport {
  readonly program: string
  readonly customerId: string
  readonly date: Day
  readonly modelVersion: string
  /** How many others the customer is compared with. */
  readonly others: number
  readonly explanations: readonly ExactExplanation[]
}

/** What moved one customer's predictions away from those of others at risk on a day, exactly. */
export async function explainCustomer(program: Program, options: ExplainOptions): Promise<ExplainReport> {
  const { predictor, version } = await loadChampion(options.modelsFolder, program)
  const lake = await openLake(options.dataFolder, program)
  const date = options.date ?? lastDayWithData(program, lake.state)
  if (date === null)
    throw usageError('no-data', `The lake of ${program.name} is empty. Run loyalcast ingest first.`)
  const { customer, others } = await withScratchDatabase(lake.folder, program, (database) =>
    readBoth(database, program, { ...options, predictor, lake, date }),
  )
  return {
    program: program.name,
    customerId: options.customerId,
    date,
    modelVersion: version,
    others: others.rows,
    explanations: explainExactly(predictor, { customer, others, seed: options.seed }),
  }
}

/** Features of the customer and of those at risk on the day whom drivers compare with. */
async function readBoth(
  database: Database,
  program: Program,
  inputs: ExplainOptions & { predictor: Predictor; lake: Lake; date: Day },
): Promise<{ customer: FeatureFrame; others: FeatureFrame }> {
  const { predictor, lake, date, customerId } = inputs
  const relations = lakeRelations(lake, { excluded: new Set(predictor.parts.excluded) })
  const customers = await makeDaySpine(database, 'day_spine', { program, relations, date })
  await database.run(
    `create or replace temp table spine as
     select 0 as row, customer_id, cutoff, joined from day_spine where customer_id = $customer`,
    { customer: customerId },
  )
  const request = { program, lake, catalogue: predictor.catalogue, relations }
  const customer = await readFeatures(database, { ...request, spine: 'spine' })
  if (customer.rows === 0)
    throw usageError(
      'unknown-customer',
      `${customerId} is no customer of ${program.name} at risk on ${date}.`,
    )
  if (customers < 2)
    throw usageError(
      'nobody-else',
      `${customerId} is the only customer at risk on ${date}: there is nobody to compare with.`,
    )
  return { customer, others: await readCompared(database, { program, lake, predictor, date }) }
}
