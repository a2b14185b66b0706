import type { Day } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { buildCatalogue } from '../src/features/build-catalogue.ts'
import type { Catalogue } from '../src/features/catalogue.ts'
import { type FeatureFrame, lakeRelations, makeSpine, readFeatures } from '../src/features/features.ts'
import { selectAtRisk } from '../src/features/population.ts'
import type { Database } from '../src/lake/database.ts'
import type { Lake } from '../src/lake/lake.ts'
import { selectAnswerLabels } from '../src/outcomes/answers.ts'
import { type OutcomeDays, readOutcomeDays } from '../src/outcomes/outcome-days.ts'
import { type CutoffPlan, planCutoffs, selectCandidates, thinCutoffs } from './cutoffs.ts'
import { type ResponseObservations, readResponseObservations } from './response-observations.ts'

/** NPS answers as labels of rows. **Shape** all [answers]; an answer stands once for each lead it is used with. */
export interface AnswerDays {
  readonly row: Int32Array
  readonly leadDays: Float32Array
  readonly score: Uint8Array
  /** Uses of one answer share a number. */
  readonly answer: Int32Array
  /** Weight the survey gave the answer, 1 where it gave none. */
  readonly surveyWeight: Float32Array
}

/** Customers at cutoffs with everything known before and what happened after. **Shape** [rows] where not said. */
export interface Dataset {
  readonly frame: FeatureFrame
  /** Index of the row's customer. */
  readonly customer: Int32Array
  /** Day of the row's cutoff, in days since 1970-01-01. */
  readonly cutoff: Int32Array
  /** 1 where the row stands for its cutoff's whole population; 0 where only a survey answer brought it. */
  readonly isPopulation: Uint8Array
  readonly outcomes: readonly OutcomeDays[]
  readonly answers: AnswerDays | null
  /** Who answered and who did not; null without answers. */
  readonly responding: ResponseObservations | null
  readonly catalogue: Catalogue
  readonly plan: CutoffPlan
  /** Share of customers that was drawn to stay within `maxRows`; 1: all. */
  readonly sampledShare: number
}

export interface DatasetOptions {
  readonly program: Program
  readonly lake: Lake
  readonly asOf: Day
  readonly excluded: ReadonlySet<string>
  /** Most rows; beyond it there are fewer cutoffs, to one in 30 days, and then customers are drawn by their hash. */
  readonly maxRows: number
}

/** Reads the training table from the lake. */
export async function readDataset(database: Database, options: DatasetOptions): Promise<Dataset> {
  const { program, lake, asOf, excluded } = options
  const relations = lakeRelations(lake, { excluded })
  const catalogue = await buildCatalogue(database, options)
  const planned = await planCutoffs(database, { program, relations, asOf })
  const { plan, rows, sampledShare } = await drawSpine(database, planned, options)
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
  const outcomes: OutcomeDays[] = []
  for (const outcome of program.outcomes) {
    const request = { program, state: lake.state, relations, spine: 'spine', asOf }
    const days = await readOutcomeDays(database, outcome, request)
    if (days) outcomes.push(days)
  }
  const keys = await database.columns(`
    select dense_rank() over (order by customer_id) - 1 as customer, cutoff - date '1970-01-01' as cutoff, is_population::integer as is_population
    from spine order by row`)
  const answers = await readAnswers(database)
  const population = '(select customer_id, cutoff from spine where is_population)'
  return {
    frame: { ...frame, rows },
    customer: Int32Array.from(keys.customer as Float64Array),
    cutoff: Int32Array.from(keys.cutoff as Float64Array),
    isPopulation: Uint8Array.from(keys.is_population as Float64Array),
    outcomes,
    answers,
    responding:
      answers &&
      (await readResponseObservations(database, { program, lake, catalogue, relations, asOf, population })),
    catalogue,
    plan,
    sampledShare,
  }
}

/** Makes the tables `spine` (who, when) and `answer_labels` (what they answered afterwards). */
async function drawSpine(
  database: Database,
  planned: CutoffPlan,
  options: DatasetOptions,
): Promise<{ plan: CutoffPlan; rows: number; sampledShare: number }> {
  const relations = lakeRelations(options.lake, { excluded: options.excluded })
  await database.run(
    `create or replace temp table answer_labels as ${selectAnswerLabels(relations, options.asOf)}`,
  )
  let plan = planned
  let found = await findAtRisk(database, plan, options)
  if (found > options.maxRows) {
    plan = thinCutoffs(planned, found / options.maxRows)
    if (plan !== planned) found = await findAtRisk(database, plan, options)
  }
  const sampledShare = Math.min(1, options.maxRows / Math.max(1, found))
  const drawn = `select * from at_risk where md5_number_upper(customer_id) % 1000000 < ${Math.round(sampledShare * 1e6)}`
  await makeSpine(database, 'drawn_spine', drawn)
  await database.run(`
    create or replace temp table spine as
    select drawn_spine.*, candidates.customer_id is not null as is_population
    from drawn_spine
    left join candidates using (customer_id, cutoff)`)
  const { rows } = await database.row<{ rows: number }>('select count(*) as rows from spine')
  return { plan, rows, sampledShare }
}

/** Makes the tables `candidates` and `at_risk` of a plan; the rows of the latter. */
async function findAtRisk(
  database: Database,
  plan: CutoffPlan,
  { program, lake, asOf, excluded }: DatasetOptions,
): Promise<number> {
  const relations = lakeRelations(lake, { excluded })
  const population = selectCandidates(plan, { program, relations, asOf })
  await database.run(`create or replace temp table candidates as ${population}`)
  const everything =
    'select customer_id, cutoff from candidates union select customer_id, cutoff from answer_labels'
  await database.run(
    `create or replace temp table at_risk as ${selectAtRisk({ program, relations, candidates: everything })}`,
  )
  const { found } = await database.row<{ found: number }>('select count(*) as found from at_risk')
  return found
}

async function readAnswers(database: Database): Promise<AnswerDays | null> {
  const found = await database.columns(`
    select
      spine.row,
      lead,
      score,
      dense_rank() over (order by answer) - 1 as answer,
      survey_weight::double as survey_weight
    from answer_labels
    join spine using (customer_id, cutoff)
    order by spine.row, lead, answer`)
  if (found.row.length === 0) return null
  return {
    row: Int32Array.from(found.row as Float64Array),
    leadDays: Float32Array.from(found.lead as Float64Array),
    score: Uint8Array.from(found.score as Float64Array),
    answer: Int32Array.from(found.answer as Float64Array),
    surveyWeight: Float32Array.from(found.survey_weight as Float64Array),
  }
}
