/** Probabilities beside what happened. **Shape** all [rows]. */
export interface JudgedProbabilities {
  readonly probability: ArrayLike<number>
  /** 0 or 1. */
  readonly happened: ArrayLike<number>
  /** Default: every row weighs 1. */
  readonly weight?: ArrayLike<number>
}

/** Rows that share one probability, in the order of that probability. */
interface Tie {
  readonly probability: number
  /** Weight of those it happened to, and of all. */
  readonly happened: number
  readonly weight: number
}

/** Log loss is capped here, as if the probability had been 1e-15 or 1 − 1e-15. */
const smallest = 1e-15

/** Plain mean of some numbers; NaN of none. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

function weightOf({ weight }: JudgedProbabilities, row: number): number {
  return weight === undefined ? 1 : weight[row]
}

function tiesFromLow(judged: JudgedProbabilities): Tie[] {
  const { probability, happened } = judged
  const order = Float64Array.from({ length: probability.length }, (_, row) => row)
  order.sort((a, b) => probability[a] - probability[b])
  const ties: Tie[] = []
  for (let from = 0; from < order.length; ) {
    const value = probability[order[from]]
    let hits = 0
    let weight = 0
    let to = from
    for (; to < order.length && probability[order[to]] === value; to++) {
      const own = weightOf(judged, order[to])
      weight += own
      hits += own * happened[order[to]]
    }
    if (weight > 0) ties.push({ probability: value, happened: hits, weight })
    from = to
  }
  return ties
}

function totalsOf(ties: readonly Tie[]): { happened: number; weight: number } {
  let happened = 0
  let weight = 0
  for (const tie of ties) {
    happened += tie.happened
    weight += tie.weight
  }
  return { happened, weight }
}

function weightedMean(judged: JudgedProbabilities, lossOf: (row: number) => number): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < judged.probability.length; row++) {
    const weight = weightOf(judged, row)
    sum += weight * lossOf(row)
    total += weight
  }
  return sum / total
}

/**
 * Chance that a row it happened to has a higher probability than one it did not happen to; a tie counts half.
 * Null where all rows are of one kind. Source: Mann & Whitney's U.
 */
export function auc(judged: JudgedProbabilities): number | null {
  const ties = tiesFromLow(judged)
  const { happened, weight } = totalsOf(ties)
  if (happened <= 0 || happened >= weight) return null
  let below = 0
  let wins = 0
  for (const tie of ties) {
    const others = tie.weight - tie.happened
    wins += tie.happened * (below + others / 2)
    below += others
  }
  return wins / (happened * (weight - happened))
}

/**
 * Area under the precision-recall curve as the step sum Σ (recall_k − recall_{k−1}) × precision_k.
 * Null where it happened to nobody.
 */
export function averagePrecision(judged: JudgedProbabilities): number | null {
  const ties = tiesFromLow(judged)
  const { happened } = totalsOf(ties)
  if (happened <= 0) return null
  let hits = 0
  let named = 0
  let area = 0
  for (const tie of ties.reverse()) {
    hits += tie.happened
    named += tie.weight
    area += (tie.happened / happened) * (hits / named)
  }
  return area
}

/** Log loss of each row, in nats. **Shape** [rows] */
export function logLosses({ probability, happened }: JudgedProbabilities): Float64Array {
  return Float64Array.from({ length: probability.length }, (_, row) => {
    const seen = happened[row] === 1 ? probability[row] : 1 - probability[row]
    return -Math.log(Math.max(seen, smallest))
  })
}

/** Mean log loss, in nats: lower is better. NaN without rows. */
export function logLoss(judged: JudgedProbabilities): number {
  const losses = logLosses(judged)
  return weightedMean(judged, (row) => losses[row])
}

/** Mean squared distance of probability and what happened: lower is better. NaN without rows. */
export function brier(judged: JudgedProbabilities): number {
  return weightedMean(judged, (row) => (judged.probability[row] - judged.happened[row]) ** 2)
}

/** One bin of a reliability table. */
export interface ReliabilityBin {
  /** Lowest and highest probability in it. */
  readonly low: number
  readonly high: number
  /** Mean probability. */
  readonly predicted: number
  /** Share it happened to. */
  readonly observed: number
  /** Weight of its rows. */
  readonly weight: number
}

/**
 * Predicted beside observed in bins of equal weight, from low to high.
 *
 * Equal probabilities stay in one bin, so there may be fewer bins than asked for, and of uneven weight.
 */
export function reliabilityTable(judged: JudgedProbabilities, bins = 10): ReliabilityBin[] {
  const ties = tiesFromLow(judged)
  const total = totalsOf(ties).weight
  const grouped = new Map<number, Tie[]>()
  let below = 0
  for (const tie of ties) {
    const bin = Math.min(bins - 1, Math.floor((bins * (below + tie.weight / 2)) / total))
    const members = grouped.get(bin)
    if (members === undefined) grouped.set(bin, [tie])
    else members.push(tie)
    below += tie.weight
  }
  return Array.from(grouped.values(), summariseBin)
}

function summariseBin(ties: readonly Tie[]): ReliabilityBin {
  const { happened, weight } = totalsOf(ties)
  const predicted = ties.reduce((sum, tie) => sum + tie.probability * tie.weight, 0) / weight
  return {
    low: ties[0].probability,
    high: ties[ties.length - 1].probability,
    predicted,
    observed: happened / weight,
    weight,
  }
}

/** Mean distance of predicted and observed over {@link reliabilityTable}'s bins, weighted. NaN without rows. */
export function expectedCalibrationError(judged: JudgedProbabilities, bins = 15): number {
  const table = reliabilityTable(judged, bins)
  const total = table.reduce((sum, bin) => sum + bin.weight, 0)
  return table.reduce((sum, bin) => sum + bin.weight * Math.abs(bin.predicted - bin.observed), 0) / total
}

/**
 * How many times more often it happened among the `share` of rows with the highest probabilities than overall.
 *
 * Of the rows tied at the edge the fitting fraction counts. Null where it happened to nobody.
 */
export function liftAt(judged: JudgedProbabilities, share = 0.1): number | null {
  const ties = tiesFromLow(judged)
  const { happened, weight } = totalsOf(ties)
  if (happened <= 0) return null
  let room = share * weight
  let hits = 0
  for (const tie of ties.reverse()) {
    const fraction = Math.min(1, room / tie.weight)
    hits += fraction * tie.happened
    room -= fraction * tie.weight
    if (room <= 0) break
  }
  return hits / (share * weight) / (happened / weight)
}
