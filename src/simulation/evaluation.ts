import { addDays, type Day } from '../domain/days.ts'
import { type BehaviourRelations, type FeatureFrame, pickFrame, readFeatures } from '../features/features.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import type { Database } from '../lake/database.ts'
import type { Predictions } from '../model/predictor.ts'
import { type Drawn, drawScenario } from './draws.ts'
import { copyPopulation, type PopulationRows } from './population-rows.ts'
import { laterRisks, type MoneyInputs, type Quantities, type Quantity, quantitiesOf } from './quantities.ts'
import type { Asked } from './question.ts'
import type { Change, Scenario } from './scenario.ts'
import type { Scope } from './scope.ts'

/** One draw of the random choices of a scenario. */
export interface Replication {
  /** Mean difference over the population. [quantities] */
  readonly mean: Float64Array
  /** The same as each member alone would have it. [members][quantities] */
  readonly byMember: readonly Float64Array[]
  /** Contacts that were not made, a customer. */
  readonly contactsAvoided: number
  /** Customers of the sample whose behaviour was changed. */
  readonly edited: number
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
  /** Customers of the sample whose behaviour is changed at a time: the mean over the draws. */
  readonly editedAtOnce: number
  readonly frames: EditedFrames
}

/** Features before and after. */
export interface EditedFrames {
  /** Of the population as it is, and behind it of others to compare with. */
  readonly studied: FeatureFrame
  /** Of the edited customers of the first draw as they would be. */
  readonly edited: FeatureFrame
  /** Those customers. */
  readonly rows: Int32Array
}

export interface PopulationRequest {
  readonly asked: Asked
  readonly scenario: Scenario
  readonly scope: Scope
  readonly date: Day
  readonly seed: number
}

/** A population whose rows are copied and forecast as they are: any number of changes can be asked of it. */
export interface OpenedPopulation extends PopulationRequest {
  readonly population: PopulationRows
  readonly setting: Setting
  /** Changes are in force after the end of this day. */
  readonly from: Day
}

/**
 * Copies and forecasts the population of the table `scope` as it is. Answers given while changes are in force are hidden
 * from it as they are from every scenario.
 */
export async function openPopulation(
  database: Database,
  all: BehaviourRelations,
  request: PopulationRequest,
): Promise<OpenedPopulation> {
  const { scenario, date } = request
  const from = addDays(date, -scenario.inForceDays)
  const population = await copyPopulation(database, all, { ...request, from })
  return { ...request, from, population, setting: await forecastAsItIs(database, population, request) }
}

export interface ChangesRequest {
  readonly changes: readonly Change[]
  /** Whether the draws so far say it well enough. */
  readonly isEnough: (evaluation: Evaluation) => boolean
  /** Told how many draws are done. */
  readonly onDraw: (done: number, total: number) => void
}

/** Draws at first; where their own error counts beside the rest, so many in all follow. */
const firstDraws = 4
const mostDraws = 16

/**
 * Forecasts the population, in several draws of the random choices, as it would be. It takes the one path that everything
 * takes: event rows, features, predictor.
 */
export async function evaluateChanges(
  database: Database,
  opened: OpenedPopulation,
  { changes, isEnough, onDraw }: ChangesRequest,
): Promise<Evaluation> {
  const total = new Draws(opened.setting, opened.scope)
  for (const [first, next] of [
    [0, firstDraws],
    [firstDraws, mostDraws],
  ]) {
    const draws = Array.from({ length: next - first }, (_, place) => first + place)
    const drawn = await drawChanges(database, opened, { changes, draws })
    total.add(drawn, opened.asked)
    onDraw(next, mostDraws)
    if (drawn.customer.length === 0 || isEnough(total.evaluation())) break
  }
  onDraw(mostDraws, mostDraws)
  return total.evaluation()
}

/** Edited customers of one draw, without forecasting them: to see how far they still look like any. */
export async function drawFrames(
  database: Database,
  opened: OpenedPopulation,
  changes: readonly Change[],
): Promise<Pick<EditedFrames, 'edited' | 'rows'>> {
  const drawn = await drawChanges(database, opened, { changes, draws: [0] })
  return { edited: drawn.frame, rows: drawn.customer }
}

function drawChanges(
  database: Database,
  { scenario, ...opened }: OpenedPopulation,
  { changes, draws }: { changes: readonly Change[]; draws: readonly number[] },
): Promise<Drawn> {
  return drawScenario(database, { ...opened, scenario: { ...scenario, changes }, draws })
}

/** What is forecast of the population as it is. */
interface Setting {
  readonly frame: FeatureFrame
  readonly money: MoneyInputs
  readonly asItIs: Quantities
  readonly members: readonly Quantities[]
  readonly quantities: (predictions: Predictions, money: MoneyInputs) => Quantities
}

async function forecastAsItIs(
  database: Database,
  { relations, studied }: PopulationRows,
  { asked, scope }: Pick<PopulationRequest, 'asked' | 'scope'>,
): Promise<Setting> {
  const { program, lake, predictor } = asked
  const request = { program, lake, catalogue: predictor.catalogue, relations }
  const frame = await readFeatures(database, { ...request, spine: 'studied' })
  const own = Int32Array.from({ length: scope.sampled }, (_, row) => row)
  const population = scope.sampled === studied ? frame : pickFrame(frame, own)
  const { blend, members } = predictor.predictWithMembers(population, [0, ...program.horizonsDays])
  const annualValue = await readAnnualValues(database, { ...request, state: lake.state, spine: 'scope' })
  const money = { annualValue, laterRisk: laterRisks(blend) }
  const quantities: Setting['quantities'] = (predictions, inputs) =>
    quantitiesOf(program, predictions, inputs)
  return {
    ...{ frame, money, quantities },
    asItIs: quantities(blend, money),
    members: members.map((member) => quantities(member, money)),
  }
}

/** Adds up draws. */
class Draws {
  readonly #setting: Setting
  readonly #scope: Scope
  /** Differences summed over the draws. [quantities][customers] */
  readonly #sums: readonly Float64Array[]
  readonly #replications: Replication[] = []
  readonly #isEdited: Uint8Array
  #first: { readonly frame: FeatureFrame; readonly rows: Int32Array } | null = null

  constructor(setting: Setting, scope: Scope) {
    this.#setting = setting
    this.#scope = scope
    this.#sums = setting.asItIs.list.map(() => new Float64Array(scope.sampled))
    this.#isEdited = new Uint8Array(scope.sampled)
  }

  add({ draw, customer, frame, contactsAvoided }: Drawn, { program, predictor }: Asked): void {
    const { money, quantities, asItIs, members } = this.#setting
    const { blend, members: own } = predictor.predictWithMembers(frame, [0, ...program.horizonsDays])
    const later = money.laterRisk
    const moved = {
      annualValue: Float64Array.from(customer, (row) => money.annualValue[row]),
      laterRisk: later && Float64Array.from(customer, (row) => later[row]),
    }
    const count = contactsAvoided.length
    const byDraw = this.#meansOf(quantities(blend, moved), asItIs, { draw, customer, count }, true)
    const byMember = own.map((member, place) =>
      this.#meansOf(quantities(member, moved), members[place], { draw, customer, count }, false),
    )
    for (const [place, avoided] of contactsAvoided.entries())
      this.#replications.push({
        mean: byDraw[place],
        byMember: byMember.map((means) => means[place]),
        contactsAvoided: avoided / this.#scope.sampled,
        edited: draw.reduce((sum, own) => sum + (own === place ? 1 : 0), 0),
      })
    for (const row of customer) this.#isEdited[row] = 1
    const rows = Int32Array.from(draw.keys()).filter((row) => draw[row] === 0)
    this.#first ??= { frame: pickFrame(frame, rows), rows: rows.map((row) => customer[row]) }
  }

  /** Mean differences of each draw. [draws][quantities] */
  #meansOf(
    would: Quantities,
    is: Quantities,
    { draw, customer, count }: { draw: Int32Array; customer: Int32Array; count: number },
    isSummed: boolean,
  ): Float64Array[] {
    const means = Array.from({ length: count }, () => new Float64Array(would.list.length))
    for (const [quantity, values] of would.values.entries()) {
      for (let row = 0; row < customer.length; row++) {
        const moved = values[row] - is.values[quantity][customer[row]]
        means[draw[row]][quantity] += moved / this.#scope.sampled
        if (isSummed) this.#sums[quantity][customer[row]] += moved
      }
    }
    return means
  }

  evaluation(): Evaluation {
    const { frame, asItIs } = this.#setting
    const draws = Math.max(1, this.#replications.length)
    return {
      scope: this.#scope,
      list: asItIs.list,
      baseline: asItIs.values,
      difference: this.#sums.map((sum) => sum.map((value) => value / draws)),
      replications: this.#replications,
      editedAtOnce: this.#replications.reduce((sum, { edited }) => sum + edited, 0) / draws,
      edited: Int32Array.from(this.#isEdited.keys()).filter((row) => this.#isEdited[row] === 1),
      frames: {
        studied: frame,
        edited: this.#first?.frame ?? pickFrame(frame, new Int32Array()),
        rows: this.#first?.rows ?? new Int32Array(),
      },
    }
  }
}
