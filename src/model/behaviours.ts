import type { Feature } from '../features/catalogue.ts'
import type { FeatureFrame } from '../features/features.ts'

/** Feature → behaviour, for those that belong to another than their own. */
export type Aliases = Readonly<Record<string, string>>

/** What a feature is about: a type of event, an attribute, a survey metric. */
export function behaviourOf({ behaviour, origin }: Pick<Feature, 'behaviour' | 'origin'>): string {
  return behaviour ?? origin
}

/** The behaviour of each feature that drivers count it to. */
export function behavioursOf(features: readonly Feature[], aliases: Aliases = {}): string[] {
  return features.map((feature) => aliases[feature.name] ?? behaviourOf(feature))
}

/** From this share of a feature's variance on, in ranks, another one tells the same. */
const toldShare = 0.9
/** The behaviour of all events together: what it shares with one type is that type's. */
const everything = 'activity'

/**
 * Features that tell the same as one of another behaviour, and which: what a plan costs is the plan, the number of
 * monthly payments how long somebody has been there. Left apart, one thing would share its effect among several names.
 * The behaviour of fewer features, the more particular one, lends the name.
 */
export function findAliases(frame: FeatureFrame): Aliases {
  const counts = new Map<string, number>()
  for (const feature of frame.features) {
    const behaviour = behaviourOf(feature)
    counts.set(behaviour, (counts.get(behaviour) ?? 0) + 1)
  }
  const standing = (behaviour: string) =>
    behaviour === everything ? Number.POSITIVE_INFINITY : (counts.get(behaviour) as number)
  const signals = frame.features
    .map((feature, index) => ({
      name: feature.name,
      behaviour: behaviourOf(feature),
      ...signalOf(frame, index),
    }))
    .sort((a, b) => standing(a.behaviour) - standing(b.behaviour))
  const aliases: Record<string, string> = {}
  for (const [place, signal] of signals.entries()) {
    let most = toldShare
    for (const earlier of signals.slice(0, place)) {
      if (earlier.behaviour === signal.behaviour) continue
      const told = sharedVariance(earlier, signal)
      if (told < most) continue
      most = told
      aliases[signal.name] = aliases[earlier.name] ?? earlier.behaviour
    }
    if (aliases[signal.name] === signal.behaviour) delete aliases[signal.name]
  }
  return aliases
}

/** What a feature says of each row. */
interface Signal {
  /** Around 0 with variance 1, missing ones 0; null for a category, a constant and a number that is mostly missing. */
  readonly ranks: Float64Array | null
  /** A category's rows by value; null for a number. */
  readonly groups: readonly Int32Array[] | null
}

function signalOf({ columns, rows }: FeatureFrame, index: number): Signal {
  const column = columns[index]
  if (column instanceof Float64Array) return { ranks: standardisedRanks(column), groups: null }
  const groups = new Map<unknown, number[]>()
  for (let row = 0; row < rows; row++) {
    const members = groups.get(column[row]) ?? []
    members.push(row)
    groups.set(column[row], members)
  }
  return { ranks: null, groups: [...groups.values()].map((members) => Int32Array.from(members)) }
}

function standardisedRanks(column: Float64Array): Float64Array | null {
  const order = Int32Array.from(column.keys()).filter((row) => !Number.isNaN(column[row]))
  if (order.length < column.length / 2) return null
  order.sort((a, b) => column[a] - column[b])
  const ranks = new Float64Array(column.length)
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && column[order[to]] === column[order[from]]) to++
    for (let place = from; place < to; place++) ranks[order[place]] = (from + to - order.length) / 2
  }
  const variance = ranks.reduce((sum, rank) => sum + rank ** 2, 0) / ranks.length
  return variance > 0 ? ranks.map((rank) => rank / Math.sqrt(variance)) : null
}

/** Squared rank correlation of two numbers, or the share of a number's ranks that a category tells. */
function sharedVariance(a: Signal, b: Signal): number {
  if (a.ranks && b.ranks) {
    let sum = 0
    for (let row = 0; row < a.ranks.length; row++) sum += a.ranks[row] * b.ranks[row]
    return (sum / a.ranks.length) ** 2
  }
  const ranks = a.ranks ?? b.ranks
  const groups = a.groups ?? b.groups
  if (ranks === null || groups === null) return 0
  const between = groups.map((rows) => rows.reduce((sum, row) => sum + ranks[row], 0) ** 2 / rows.length)
  return between.reduce((sum, share) => sum + share, 0) / ranks.length
}
