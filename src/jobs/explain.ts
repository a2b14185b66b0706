import { join } from 'node:path'
import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { type FeatureFrame, lakeRelations, makeSpine, readFeatures } from '../features/features.ts'
import { selectAtRisk, selectEverybody } from '../features/population.ts'
import { lastDayWithData } from '../lake/coverage.ts'
import { Database } from '../lake/database.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { type ExactExplanation, explainExactly } from '../model/exact-drivers.ts'
import type { Predictor } from '../model/predictor.ts'
import { loadChampion } from '../model/stored-predictor.ts'

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

/** Enough for steady effects; each costs two walks through all behaviours. */
const mostOthers = 48

/** What moved one customer's predictions away from those of others at risk on a day, exactly. */
export async function explainCustomer(program: Program, options: ExplainOptions): Promise<ExplainReport> {
  const { predictor, version } = await loadChampion(options.modelsFolder, program)
  const lake = await openLake(options.dataFolder, program)
  const date = options.date ?? lastDayWithData(program, lake.state)
  if (date === null)
    throw usageError('no-data', `The lake of ${program.name} is empty. Run loyalcast ingest first.`)
  return withScratchFolder(lake.folder, async (folder) => {
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: program.timezone })
    try {
      const { customer, others } = await readCompared(database, program, {
        ...options,
        predictor,
        lake,
        date,
      })
      return {
        program: program.name,
        customerId: options.customerId,
        date,
        modelVersion: version,
        others: others.rows,
        explanations: explainExactly(predictor, { customer, others, seed: options.seed }),
      }
    } finally {
      database.close()
    }
  })
}

/** Features of the customer and of some others at risk, drawn by hash. */
async function readCompared(
  database: Database,
  program: Program,
  inputs: ExplainOptions & { predictor: Predictor; lake: Lake; date: Day },
): Promise<{ customer: FeatureFrame; others: FeatureFrame }> {
  const { predictor, lake, date, customerId, seed } = inputs
  const relations = lakeRelations(lake, { excluded: new Set(predictor.parts.excluded) })
  const candidates = `select customer_id, date '${date}' as cutoff from (${selectEverybody(relations)})`
  await makeSpine(database, 'day_spine', selectAtRisk({ program, relations, candidates }))
  await database.run(
    `create or replace temp table spine as
     select (row_number() over (order by customer_id <> $customer, md5_number_upper(customer_id || $seed)) - 1)::integer as row,
       customer_id, cutoff, joined
     from day_spine
     qualify row <= ${mostOthers}`,
    { customer: customerId, seed: String(seed) },
  )
  const found = await database.rows<{ customer_id: string }>('select customer_id from spine order by row')
  if (found[0]?.customer_id !== customerId) {
    throw usageError(
      'unknown-customer',
      `${customerId} is no customer of ${program.name} at risk on ${date}.`,
    )
  }
  if (found.length < 2)
    throw usageError(
      'nobody-else',
      `${customerId} is the only customer at risk on ${date}: there is nobody to compare with.`,
    )
  const { catalogue } = predictor
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
  const slice = (from: number, to: number): FeatureFrame => ({
    ...frame,
    rows: to - from,
    columns: frame.columns.map((column) => column.slice(from, to)),
  })
  return { customer: slice(0, 1), others: slice(1, frame.rows) }
}
