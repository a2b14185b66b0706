import { addDays, type Day } from '../domain/days.ts'
import { type BehaviourRelations, type FeatureFrame, pickFrame, readFeatures } from '../features/features.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import type { Database } from '../lake/database.ts'
import type { Predictions } from '../model/predictor.ts'
import { type Drawn, drawScenario } from './draws.ts'
import { copyPopulation, type PopulationRows } from './population-rows.ts'
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
  readonly frames: EditedFrames
  /** Where the rows of the population lie; null where nothing was edited. */
  readonly population: PopulationRows | null
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

export interface EvaluationRequest {
  readonly asked: Asked
  readonly scenario: Scenario
  readonly scope: Scope
  readonly date: Day
  readonly seed: number
  /** Whether the draws so far say it well enough. */
  readonly isEnough: (evaluation: Evaluation) => boolean
  /** Told how many draws are done. */
  readonly onDraw: (done: number, total: number) => void
}

/** Draws at first; where their own error counts beside the rest, so many in all follow. */
const firstDraws = 4
const mostDraws = 16

/**
 * Forecasts the population of the table `scope` as it is and, in several draws, as it would be. Both take the one path:
 * event rows, features, predictor. Answers given while the changes are in force are hidden from both.
 */
export async function evaluateScenario(
  database: Database,
  all: BehaviourRelations,
  request: EvaluationRequest,
): Promise<Evaluation> {
  const { asked, scenario, scope, date, seed, isEnough, onDraw } = request
  const from = addDays(date, -scenario.inForceDays)
  const population = await copyPopulation(database, all, { scenario, scope, from, date, seed })
  const setting = await forecastAsItIs(database, population, { asked, scope })
  const total = new Draws(setting, scope)
  for (const [first, next] of [
    [0, firstDraws],
    [firstDraws, mostDraws],
  ]) {
    const draws = Array.from({ length: next - first }, (_, place) => first + place)
    const drawn = await drawScenario(database, { asked, scenario, population, from, date, seed, draws })
    total.add(drawn, asked)
    onDraw(next, mostDraws)
    if (drawn.customer.length === 0 || isEnough({ ...total.evaluation(), population })) break
  }
  onDraw(mostDraws, mostDraws)
  return { ...total.evaluation(), population }
}

/**
 * Edited customers of one draw of other changes, without forecasting them: to see how far they still look like any.
 *
 * @param population of the scenario, still in the database.
 */
export async function drawFrames(
  database: Database,
  population: PopulationRows,
  { asked, scenario, date, seed }: Pick<EvaluationRequest, 'asked' | 'scenario' | 'date' | 'seed'>,
): Promise<Pick<EditedFrames, 'edited' | 'rows'>> {
  const from = addDays(date, -scenario.inForceDays)
  const drawn = await drawScenario(database, { asked, scenario, population, from, date, seed, draws: [0] })
  return { edited: drawn.frame, rows: drawn.customer }
}

/** The population as it is. */
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
  { asked, scope }: Pick<EvaluationRequest, 'asked' | 'scope'>,
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

  evaluation(): Omit<Evaluation, 'population'> {
    const { frame, asItIs } = this.#setting
    const draws = Math.max(1, this.#replications.length)
    return {
      scope: this.#scope,
      list: asItIs.list,
      baseline: asItIs.values,
      difference: this.#sums.map((sum) => sum.map((value) => value / draws)),
      replications: this.#replications,
      edited: Int32Array.from(this.#isEdited.keys()).filter((row) => this.#isEdited[row] === 1),
      frames: {
        studied: frame,
        edited: this.#first?.frame ?? pickFrame(frame, new Int32Array()),
        rows: this.#first?.rows ?? new Int32Array(),
      },
    }
  }
}
