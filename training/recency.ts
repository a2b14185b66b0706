import { clusterBootstrap } from '../src/model/bootstrap.ts'
import { logLossAt } from '../src/model/hazard-units.ts'
import { levelShift, unitsOfInterval } from '../src/model/level.ts'
import { clampProbability, logit } from '../src/model/logit.ts'
import type { HazardLabels } from '../src/model/member.ts'
import { calibratedHazards, type OutcomeModel } from '../src/model/predictor.ts'
import { type HeldOut, hazardsOf } from './held-out.ts'
import type { Labelled } from './labelled.ts'

/** Held-out hazards of one outcome beside what happened. **Shape** [rows × intervals], [rows]. */
export interface DatedHazards {
  readonly hazards: ArrayLike<number>
  readonly labels: HazardLabels
  /** Day of each row's cutoff. */
  readonly cutoff: ArrayLike<number>
  readonly customer: ArrayLike<number>
}

/** Days in which a label comes to count half as much; the first: all count alike. */
export const halfLivesDays = [Number.POSITIVE_INFINITY, 180, 60, 20] as const
/** The rows are cut into so many parts by time; each part is forecast from those before it. */
const parts = 4
/** Logits by which the levels of a published version and of the latest rows differ: chance makes more of few events. */
const levelSpread = 0.5
/** A level that fewer events tell, weighed by their age, is mostly chance. */
export const fewestEvents = 30

/** What each label counts for by its age on the last day, 1 on that day. **Shape** [rows] */
export function weighByAge(
  cutoff: ArrayLike<number>,
  halfLifeDays: number,
  last: number = latest(cutoff),
): Float64Array {
  return Float64Array.from(cutoff, (day) => 2 ** (-(last - day) / halfLifeDays))
}

function latest(days: ArrayLike<number>): number {
  let last = Number.NEGATIVE_INFINITY
  for (let row = 0; row < days.length; row++) last = Math.max(last, days[row])
  return last
}

/** A known interval of a row. */
interface DatedUnit {
  readonly logit: number
  readonly happened: number
  readonly interval: number
  readonly day: number
  readonly customer: number
}

/**
 * How fast labels lose weight. Rows are cut into parts by time, and the level of each part is forecast from the parts
 * before it, with each half-life. The longest half-life is taken whose loss is not clearly above the best one's.
 */
export function chooseHalfLife(dated: DatedHazards): number {
  const units = datedUnits(dated)
  const days = units.map(({ day }) => day).sort((a, b) => a - b)
  const cuts = Array.from(
    { length: parts - 1 },
    (_, part) => days[Math.floor(((part + 1) * days.length) / parts)],
  )
  const turns = [...new Set(cuts)].flatMap((from, index, all) => {
    const before = units.filter(({ day }) => day < from)
    const own = units.filter(({ day }) => day >= from && day < (all[index + 1] ?? Infinity))
    return own.length > 0 && before.length > 0 ? [{ before, own }] : []
  })
  const candidates = halfLivesDays.filter((halfLife) => effectiveEvents(units, halfLife) >= fewestEvents)
  if (turns.length === 0 || candidates.length < 2) return halfLivesDays[0]
  const losses = candidates.map((halfLife) => turns.flatMap((turn) => forecastLosses(turn, halfLife)))
  const sums = losses.map((own) => own.reduce((sum, loss) => sum + loss, 0))
  const best = losses[sums.indexOf(Math.min(...sums))]
  const cluster = turns.flatMap(({ own }) => own.map(({ customer }) => customer))
  const isAsGood = (own: readonly number[]) => {
    const values = own.map((loss, i) => loss - best[i])
    return own === best || clusterBootstrap({ values, cluster, replicates: 200, seed: 1 }).low <= 0
  }
  return candidates[losses.findIndex(isAsGood)]
}

function datedUnits({ hazards, labels, cutoff, customer }: DatedHazards): DatedUnit[] {
  const { intervals, known, happened } = labels
  const places = Array.from(known.keys()).filter((at) => known[at] === 1)
  return places.map((at) => {
    const row = Math.floor(at / intervals)
    return {
      logit: logit(clampProbability(hazards[at])),
      happened: happened[at],
      interval: at % intervals,
      day: cutoff[row],
      customer: customer[row],
    }
  })
}

/** Of the rarer kind. */
function effectiveEvents(units: readonly DatedUnit[], halfLife: number): number {
  const weights = weighByAge(
    units.map(({ day }) => day),
    halfLife,
  )
  let events = 0
  let all = 0
  units.forEach(({ happened }, i) => {
    events += weights[i] * happened
    all += weights[i]
  })
  return Math.min(events, all - events)
}

function forecastLosses(
  { before, own }: { before: readonly DatedUnit[]; own: readonly DatedUnit[] },
  halfLife: number,
): number[] {
  const weights = weighByAge(
    before.map(({ day }) => day),
    halfLife,
  )
  const intervals = own.reduce((most, { interval }) => Math.max(most, interval), 0) + 1
  const shifts = Array.from({ length: intervals }, (_, interval) => {
    const places = Array.from(before.keys()).filter((i) => before[i].interval === interval)
    return levelShift({
      logit: Float64Array.from(places, (i) => before[i].logit),
      happened: Float64Array.from(places, (i) => before[i].happened),
      weight: Float64Array.from(places, (i) => weights[i]),
    })
  })
  return own.map(({ logit, happened, interval }) => logLossAt(logit + shifts[interval], happened))
}

/**
 * Brings members that have learned from the latest rows to the level that these rows really had. Where they are
 * corrected, what they know of a drift already must not be corrected once more; where levels move, rows of long ago
 * hold them back.
 *
 * @param refitted what the members say of the labelled rows. @param hasMoved of each outcome, whether what members learned
 * was not the level of the block that came next.
 */
export function holdLevels(
  models: readonly OutcomeModel[],
  { outcomes }: Pick<Labelled, 'outcomes'>,
  { refitted, hasMoved }: { refitted: Pick<HeldOut, 'hazards'>; hasMoved: readonly boolean[] },
): OutcomeModel[] {
  return models.map((model, index) => {
    const missed = missedLevels(outcomes[index], calibratedHazards(model, hazardsOf(refitted, index)))
    const isHeld = (interval: number) => hasMoved[index] || model.calibrator[interval].kind !== 'none'
    const levels = missed.map((logits, interval) => (isHeld(interval) ? logits : 0))
    return { ...model, levels }
  })
}

/**
 * How far above what was forecast each interval's level really was, in logits; less than seen where few labels tell.
 *
 * **Shape** `hazards` [rows × intervals] → [intervals]
 */
export function missedLevels(labels: HazardLabels, hazards: ArrayLike<number>): number[] {
  const alike = { ...labels, weight: new Float32Array(labels.weight.length).fill(1) }
  return Array.from({ length: labels.intervals }, (_, interval) =>
    levelShift(unitsOfInterval(alike, hazards, interval), levelSpread),
  )
}
