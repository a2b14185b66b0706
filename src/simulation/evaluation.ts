import type { Day } from '../domain/days.ts'
import { addDays } from '../domain/days.ts'
import { type BehaviourRelations, type FeatureFrame, pickFrame, readFeatures } from '../features/features.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import { type Database, quoteText, quoteTexts } from '../lake/database.ts'
import type { Predictions } from '../model/predictor.ts'
import { donorsOf, type EditContext, editRelations } from './edits.ts'
import { laterRisks, type MoneyInputs, type Quantities, type Quantity, quantitiesOf } from './quantities.ts'
import type { Asked } from './question.ts'
import type { Scenario } from './scenario.ts'
import type { Scope } from './scope.ts'

/** One draw of the random choices of a scenario. */
export interface Replication {
  /** Mean difference over the population. [quantities] */
  readonly mean: Float64Array
  /** The same as each member alone would have it. [members][quantities] */
  readonly byMember: readonly Float64Array[]
  /** Contacts that were not made, a customer. */
  readonly contactsAvoided: number
}

/** What is forecast of a population as it is and as it would be. */
export interface Evaluation {
  readonly scope: Scope
  readonly list: readonly Quantity[]
  /** As it is. [quantities][customers] */
  readonly baseline: readonly Float64Array[]
  /** Scenario less baseline, mean over the draws. [quantities][customers] */
  readonly difference: readonly Float64Array[]
  readonly replications: readonly Replication[]
  /** Rows whose behaviour was changed in any draw. */
  readonly edited: Int32Array
  /** Features as they are, and of the edited customers of the first draw as they would be. */
  readonly frames: {
    readonly baseline: FeatureFrame
    readonly edited: FeatureFrame
    readonly rows: Int32Array
  }
}

export interface EvaluationRequest {
  readonly asked: Asked
  readonly scenario: Scenario
  readonly scope: Scope
  readonly date: Day
  readonly seed: number
  /** Told how many draws are done. */
  readonly onDraw: (done: number, total: number) => void
}

/** Draws at first; more follow where their own error counts beside the rest. */
const firstDraws = 4
export const mostDraws = 16
/** Events that added ones are modelled on. */
const mostDonors = 2000

/**
 * Forecasts the population of the table `scope` as it is and, in several draws, as it would be. Both take the one path:
 * event rows, features, predictor. Answers given while the changes are in force are hidden from both.
 *
 * @param isEnough whether the draws so far say it well enough.
 */
export async function evaluateScenario(
  database: Database,
  relations: BehaviourRelations,
  request: EvaluationRequest & { isEnough: (evaluation: Evaluation) => boolean },
): Promise<Evaluation> {
  const { scope } = request
  const setting = await prepareSetting(database, relations, request)
  const { list, values: baseline } = setting.asItIs
  const sums = list.map(() => new Float64Array(scope.sampled))
  const isEdited = new Uint8Array(scope.sampled)
  const replications: Replication[] = []
  let first: Drawn | null = null
  const summary = (): Evaluation => ({
    scope,
    list,
    baseline,
    difference: sums.map((sum) => sum.map((value) => value / Math.max(1, replications.length))),
    replications,
    edited: Int32Array.from(isEdited.keys()).filter((row) => isEdited[row] === 1),
    frames: {
      baseline: setting.frame,
      edited: first?.frame ?? pickFrame(setting.frame, new Int32Array()),
      rows: first?.rows ?? new Int32Array(),
    },
  })
  for (let total = firstDraws; replications.length < total; ) {
    const drawn = await draw(database, setting, { ...request, replication: replications.length })
    first ??= drawn
    for (const row of drawn.rows) isEdited[row] = 1
    replications.push(addDraw(sums, drawn, setting))
    request.onDraw(replications.length, total)
    const isDone = drawn.rows.length === 0 || replications.length < total || request.isEnough(summary())
    if (!isDone) total = Math.min(mostDraws, total * 2)
    if (drawn.rows.length === 0) break
  }
  return summary()
}

interface Setting {
  readonly relations: BehaviourRelations
  readonly frame: FeatureFrame
  readonly money: MoneyInputs
  readonly asItIs: Quantities
  readonly members: readonly Quantities[]
  readonly donors: readonly (string | null)[]
  readonly from: Day
}

/** Copies what the population did, and forecasts it as it is. */
async function prepareSetting(
  database: Database,
  all: BehaviourRelations,
  { asked, scenario, date }: EvaluationRequest,
): Promise<Setting> {
  const from = addDays(date, -scenario.inForceDays)
  const relations = await copyScope(database, all, { from, date })
  const donors = await copyDonors(database, all, scenario)
  const frame = await readScope(database, asked, relations, 'scope')
  const { blend, members } = predictWithMembers(asked, frame)
  const annualValue = await readAnnualValues(database, {
    ...{ program: asked.program, state: asked.lake.state, relations, spine: 'scope' },
  })
  const money = { annualValue, laterRisk: laterRisks(blend) }
  const quantities = (predictions: Predictions) => quantitiesOf(asked.program, predictions, money)
  return {
    ...{ relations, frame, money, donors, from },
    asItIs: quantities(blend),
    members: members.map(quantities),
  }
}

/** Copies all rows of the population up to the day, since every draw reads them; answers while in force are left out. */
async function copyScope(
  database: Database,
  all: BehaviourRelations,
  { from, date }: { from: Day; date: Day },
): Promise<BehaviourRelations> {
  const copy = (table: string, relation: string, condition: string) =>
    database.run(`
      create or replace temp table ${table} as
      select *
      from ${relation} as rows
      where customer_id in (select customer_id from scope) and ${condition}`)
  const isPast = (day: Day) => `day <= date ${quoteText(day)}`
  await copy('scope_events', all.events, isPast(date))
  await copy('scope_customers', all.customers, 'true')
  await copy('scope_responses', all.responses, isPast(from))
  await copy('scope_interventions', all.interventions, isPast(date))
  return {
    ...{ events: 'scope_events', customers: 'scope_customers', responses: 'scope_responses' },
    ...{ interventions: 'scope_interventions', beginsOn: all.beginsOn },
  }
}

function readScope(
  database: Database,
  { program, lake, predictor }: Asked,
  relations: BehaviourRelations,
  spine: string,
): Promise<FeatureFrame> {
  return readFeatures(database, { program, lake, catalogue: predictor.catalogue, relations, spine })
}

function predictWithMembers({ program, predictor }: Asked, frame: FeatureFrame) {
  return predictor.predictWithMembers(frame, [0, ...program.horizonsDays])
}

/** A table for each change that adds events: some of their kind, of the population where it has any. */
async function copyDonors(
  database: Database,
  all: BehaviourRelations,
  { changes }: Scenario,
): Promise<(string | null)[]> {
  const tables: (string | null)[] = []
  for (const [place, change] of changes.entries()) {
    const isAdding = change.kind === 'events' && change.add !== null
    tables.push(isAdding ? `donors_${place}` : null)
    if (!isAdding) continue
    for (const events of ['scope_events', all.events]) {
      await database.run(
        `create or replace temp table donors_${place} as ${donorsOf(events, change, mostDonors)}`,
      )
      const { found } = await database.row<{ found: number }>(`select count(*) as found from donors_${place}`)
      if (found > 0) break
    }
  }
  return tables
}

/** One draw: whose behaviour changed, and what is then forecast of them. */
interface Drawn {
  /** Places in the scope. */
  readonly rows: Int32Array
  readonly frame: FeatureFrame
  readonly blend: Predictions
  readonly members: readonly Predictions[]
  readonly contactsAvoided: number
  readonly program: Asked['program']
}

async function draw(
  database: Database,
  { relations, donors, from }: Setting,
  { asked, scenario, date, seed, replication }: EvaluationRequest & { replication: number },
): Promise<Drawn> {
  const { program } = asked
  const context: EditContext = {
    ...{ scope: 'scope', from, date, seed, replication },
    timezone: program.timezone,
    reach: scenario.reach,
  }
  const edited = editRelations(relations, scenario.changes, { context, donors })
  await database.run(`
    create or replace temp table edited_scope as
    select
      (row_number() over (order by scope.row) - 1)::integer as row,
      scope.row as place,
      scope.customer_id,
      scope.cutoff,
      scope.joined
    from scope
    where customer_id in (${edited.touched})`)
  await database.run(`
    create or replace temp table edited_events as
    select * from ${edited.events} as events where customer_id in (select customer_id from edited_scope)`)
  const scoped = { ...relations, events: 'edited_events', customers: edited.customers }
  const frame = await readScope(database, asked, scoped, 'edited_scope')
  const { place } = await database.columns('select place from edited_scope order by row')
  return {
    rows: Int32Array.from(place as Float64Array),
    frame,
    ...predictWithMembers(asked, frame),
    contactsAvoided: await countAvoided(database, program.meaning.contact, { from, date }),
    program,
  }
}

/** Contacts as they are less contacts as they would be, of all in the population together. */
async function countAvoided(
  database: Database,
  contact: readonly string[],
  { from, date }: { from: Day; date: Day },
): Promise<number> {
  if (contact.length === 0) return 0
  const count = (table: string) => `
    select count(*) from ${table}
    where type in ${quoteTexts(contact)} and day > date ${quoteText(from)} and day <= date ${quoteText(date)}
      and customer_id in (select customer_id from edited_scope)`
  const { avoided } = await database.row<{ avoided: number }>(
    `select (${count('scope_events')}) - (${count('edited_events')}) as avoided`,
  )
  return avoided
}

/** Adds what a draw moved to the sums and tells its means over the whole population. */
function addDraw(sums: readonly Float64Array[], drawn: Drawn, setting: Setting): Replication {
  const { rows, program } = drawn
  const { annualValue, laterRisk } = setting.money
  const money = {
    annualValue: Float64Array.from(rows, (row) => annualValue[row]),
    laterRisk: laterRisk && Float64Array.from(rows, (row) => laterRisk[row]),
  }
  const count = sums[0]?.length ?? 1
  const meanOf = (predictions: Predictions, asItIs: Quantities, into?: readonly Float64Array[]) => {
    const { values } = quantitiesOf(program, predictions, money)
    return Float64Array.from(values, (own, quantity) => {
      let sum = 0
      for (const [place, row] of rows.entries()) {
        const moved = own[place] - asItIs.values[quantity][row]
        sum += moved
        if (into) into[quantity][row] += moved
      }
      return sum / count
    })
  }
  return {
    mean: meanOf(drawn.blend, setting.asItIs, sums),
    byMember: drawn.members.map((own, member) => meanOf(own, setting.members[member])),
    contactsAvoided: drawn.contactsAvoided / count,
  }
}
