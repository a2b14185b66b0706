import { addDays, type Day } from '../domain/days.ts'
import { type BehaviourRelations, pickFrame, readFeatures } from '../features/features.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import type { Database } from '../lake/database.ts'
import { DrawSums, type PartAsItIs, type Replication } from './draw-sums.ts'
import { type Drawn, drawScenario, isCertain } from './draws.ts'
import { type EditedFrames, editedPart, joinEdited } from './edited-features.ts'
import { type Forecast, type Forecaster, forecasterHere } from './forecast.ts'
import type { Quantity } from './quantities.ts'
import type { Asked } from './question.ts'
import type { Edit } from './scenario.ts'
import type { Scope } from './scope.ts'
import { StudiedRows } from './studied-rows.ts'

/** What is forecast of a population as it is and as it would be. */
export interface Evaluation {
  readonly scope: Scope
  readonly list: readonly Quantity[]
  /** As it is. [quantities][customers] */
  readonly baseline: readonly Float64Array[]
  /** Scenario less baseline, mean over the draws. [quantities][customers] */
  readonly difference: readonly Float64Array[]
  readonly replications: readonly Replication[]
  /** Variance of the mean difference by the random choices of the draws. [quantities] */
  readonly drawVariance: readonly number[]
  /** Rows whose behaviour was changed in any draw. */
  readonly edited: Int32Array
  /** Customers of the sample whose behaviour is changed at a time: the mean over the draws. */
  readonly editedAtOnce: number
  readonly frames: EditedFrames
}

export interface PopulationRequest {
  readonly asked: Asked
  /** Days up to the day that is asked about in which changes are in force. */
  readonly inForceDays: number
  readonly scope: Scope
  readonly date: Day
  readonly seed: number
}

/** A population that is forecast as it is: any number of changes can be asked of it. */
export interface OpenedPopulation extends PopulationRequest {
  readonly rows: StudiedRows
  readonly parts: readonly PartAsItIs[]
  readonly asItIs: Forecast
  /** What each customer brings in a year. [customers] */
  readonly annualValue: Float64Array
  /** Changes are in force after the end of this day. */
  readonly from: Day
}

/**
 * Reads and forecasts the population of the table `scope` as it is. Answers given while changes are in force are hidden
 * from it as they are from every scenario.
 */
export async function openPopulation(
  database: Database,
  all: BehaviourRelations,
  request: PopulationRequest,
): Promise<OpenedPopulation> {
  const { asked, inForceDays, scope, date } = request
  const from = addDays(date, -inForceDays)
  const rows = new StudiedRows(database, { ...request, all, from })
  const parts: PartAsItIs[] = []
  const annualValue = new Float64Array(scope.sampled)
  const forecasts = new Forecasts(asked)
  const whole = new WholeForecast(scope.sampled)
  for (let place = 0; place < scope.parts; place++) {
    const { relations, studied } = await rows.open(place)
    const source = { program: asked.program, lake: asked.lake, relations }
    const { catalogue } = asked.predictor
    const frame = await readFeatures(database, { ...source, catalogue, spine: 'part_studied' })
    const state = asked.lake.state
    const values = await readAnnualValues(database, { ...source, state, spine: 'part_scope' })
    const own = studied.subarray(0, values.length)
    for (const [at, row] of own.entries()) annualValue[row] = values[at]
    parts.push({ studied, frame })
    const population = pickFrame(frame, Int32Array.from(values.keys()))
    await forecasts.next(population, { annualValue: values, laterRisk: 'own' }, (forecast) =>
      whole.set(forecast, own),
    )
  }
  await forecasts.done()
  return { ...request, from, rows, parts, annualValue, asItIs: whole.forecast() }
}

/** Forecasts a part while the rows of the next one are read: one at a time, so that memory stays flat. */
class Forecasts {
  readonly #forecaster: Forecaster
  #last: Promise<void> = Promise.resolve()

  constructor({ forecaster, program, predictor }: Asked) {
    this.#forecaster = forecaster ?? forecasterHere(program, predictor)
  }

  async next(
    frame: Parameters<Forecaster['forecast']>[0],
    money: Parameters<Forecaster['forecast']>[1],
    take: (forecast: Forecast) => void,
  ): Promise<void> {
    await this.#last
    this.#last = this.#forecaster.forecast(frame, money).then(take)
    // Whoever waits next is told; until then a failure is no unhandled one.
    this.#last.catch(() => {})
  }

  async done(): Promise<void> {
    await this.#last
  }
}

/** Forecasts of all parts, put together by row. */
class WholeForecast {
  readonly #rows: number
  #whole: Forecast | null = null

  constructor(rows: number) {
    this.#rows = rows
  }

  set({ list, blend, members, laterRisk }: Forecast, rows: Int32Array): void {
    const empty = () => new Float64Array(this.#rows)
    this.#whole ??= {
      list,
      blend: blend.map(empty),
      members: members.map((own) => own.map(empty)),
      laterRisk: laterRisk && empty(),
    }
    const whole = this.#whole
    const put = (from: Float64Array, to: Float64Array) => {
      for (let at = 0; at < rows.length; at++) to[rows[at]] = from[at]
    }
    for (const [quantity, values] of blend.entries()) put(values, whole.blend[quantity])
    for (const [member, own] of members.entries())
      for (const [quantity, values] of own.entries()) put(values, whole.members[member][quantity])
    if (laterRisk !== null && whole.laterRisk !== null) put(laterRisk, whole.laterRisk)
  }

  forecast(): Forecast {
    return this.#whole as Forecast
  }
}

export interface ChangesRequest {
  readonly edit: Edit
  /** Whether the draws so far say it well enough. */
  readonly isEnough: (evaluation: Evaluation) => boolean
  /** Told how many draws are done. */
  readonly onDraw: (done: number, total: number) => void
}

/** Draws are doubled until their own error counts little beside the rest. */
const mostDraws = 16
/** From so many customers on, the error of a single draw can be told by another one of some of them. */
const fewestInPilot = 200
const pilotEvery = 5

/**
 * Forecasts the population, in several draws of the random choices, as it would be. It takes the one path that everything
 * takes: event rows, features, predictor.
 */
export async function evaluateChanges(
  database: Database,
  opened: OpenedPopulation,
  { edit, isEnough, onDraw }: ChangesRequest,
): Promise<Evaluation> {
  const sums = new DrawSums(opened.asItIs, opened.scope)
  const isOne = isCertain(edit)
  const isLarge = opened.scope.sampled >= fewestInPilot * pilotEvery
  const most = isOne ? 1 : mostDraws
  let frames: EditedFrames | null = null
  let evaluation: Evaluation | null = null
  for (let done = 0, end = isOne || isLarge ? 1 : 2; end <= most; done = end, end *= 2) {
    const draws = Array.from({ length: end - done }, (_, place) => done + place)
    const every = !isOne && isLarge && done === 0 ? pilotEvery : null
    const edited = await drawParts(database, opened, { edit, draws, sums, every })
    frames ??= joinEdited(edited)
    evaluation = evaluationOf(opened, sums, frames)
    onDraw(end, most)
    if (evaluation.edited.length === 0 || isEnough(evaluation)) break
  }
  onDraw(most, most)
  return evaluation as Evaluation
}

interface PartsRequest {
  readonly edit: Edit
  readonly draws: readonly number[]
  readonly sums: DrawSums
  /** Each so manieth customer is drawn once more, to tell the error of the draw; null: nobody is. */
  readonly every: number | null
}

/** Adds up some draws of all parts. Returns what the first of them does to features. */
async function drawParts(
  database: Database,
  opened: OpenedPopulation,
  { edit, draws, sums, every }: PartsRequest,
): Promise<ReturnType<typeof editedPart>[]> {
  const edited: ReturnType<typeof editedPart>[] = []
  const forecasts = new Forecasts(opened.asked)
  for (const [place, part] of opened.parts.entries()) {
    const drawn = await drawPart(database, opened, { edit, draws, place, every: 1 })
    edited.push(editedPart(part, drawn))
    await forecasts.next(drawn.frame, moneyAsItIs(opened, part, drawn), (forecast) =>
      sums.add({ part, drawn, forecast }, draws[0]),
    )
    if (every === null) continue
    const again = await drawPart(database, opened, { edit, draws: [draws.length], place, every })
    await forecasts.next(again.frame, moneyAsItIs(opened, part, again), (forecast) =>
      sums.addPilot({ part, drawn: again, forecast }, every),
    )
  }
  await forecasts.done()
  return edited
}

/** What the money of those drawn is made of. */
function moneyAsItIs({ asItIs, annualValue }: OpenedPopulation, part: PartAsItIs, { customer }: Drawn) {
  const own = (all: Float64Array) => Float64Array.from(customer, (row) => all[part.studied[row]])
  return { annualValue: own(annualValue), laterRisk: asItIs.laterRisk && own(asItIs.laterRisk) }
}

async function drawPart(
  database: Database,
  { rows, parts, ...opened }: OpenedPopulation,
  { edit, draws, place, every }: { edit: Edit; draws: readonly number[]; place: number; every: number },
): Promise<Drawn> {
  const { relations } = await rows.open(place)
  const donors = await rows.donorsOf(edit.changes)
  const { frame } = parts[place]
  return drawScenario(database, { ...opened, edit, relations, donors, draws, every, asItIs: frame })
}

function evaluationOf({ scope, asItIs }: OpenedPopulation, sums: DrawSums, frames: EditedFrames): Evaluation {
  return { scope, list: asItIs.list, baseline: asItIs.blend, ...sums.total(), frames }
}

/** Edited customers of one draw, without forecasting them: to see how far they still look like any. */
export async function drawFrames(
  database: Database,
  opened: OpenedPopulation,
  edit: Edit,
): Promise<EditedFrames> {
  const edited: ReturnType<typeof editedPart>[] = []
  for (const [place, part] of opened.parts.entries())
    edited.push(editedPart(part, await drawPart(database, opened, { edit, draws: [0], place, every: 1 })))
  return joinEdited(edited)
}
