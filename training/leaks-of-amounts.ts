import type { Feature } from '../src/features/catalogue.ts'
import { encode } from '../src/features/encoder.ts'
import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import { fitEncoder } from '../src/features/fit-encoder.ts'
import { clusterBootstrap } from '../src/model/bootstrap.ts'
import { foldsByCustomer } from '../src/model/folds.ts'
import { linearDesign } from '../src/model/linear-design.ts'
import { fitHazards, predictHazards } from '../src/model/logistic.ts'
import { auc, logLosses } from '../src/model/metrics.ts'
import { sampleByCustomer } from '../src/model/penalty-choice.ts'
import type { Dataset } from './dataset.ts'
import type { Labelled } from './labelled.ts'
import { drawEver, drawSoon, type LeakSample } from './leak-samples.ts'
import { isOwnHistory, type Leak, lowerBound } from './leaks.ts'
import type { TaskPlan } from './tasks.ts'

/** Alone it ranks the outcome better than this, also at the lower bound of chance. */
const strongAuc = 0.78
/** Added to all the rest it tells more than this share of what the rest tells, also at the lower bound of chance. */
const addedShare = 2 / 3
/** In the tenth it deems least likely, less than this share of what the rest expects happens, and at most. */
const excluded = { tenth: 0.1, share: 0.05, atMost: 0.1 }
const fewestCustomers = 50
/** Chooses folds and rows; nothing else depends on it. */
const seed = 1

/** Rows with what happened to them, the rarer side as 1. **Shape** all [rows]. */
interface Sample {
  readonly frame: FeatureFrame
  readonly customer: Int32Array
  readonly happened: Uint8Array
}

/**
 * Amounts (numeric attributes) that carry an outcome's mark, though less than perfectly: the length of the call in
 * which a customer bought, a balance settled on leaving. All three hold for them:
 *
 * - alone it ranks the outcome well (AUC above .78);
 * - it adds at least two thirds of what everything else tells together (log likelihood, cross-fitted by customer);
 * - it excludes: in the tenth of the rows that it deems least likely, hardly any of what everything else expects happens.
 *
 * What sets an honest amount apart, such as tenure or spending: others tell much of the same, so it adds little; and
 * its risk is graded, so that even at its far end some of what the rest expects happens. **What this cannot tell:** an
 * honest amount that settles the outcome nearly alone, as no other, looks the same, and so do the copies of one that is
 * told by nothing else; `accept_leaks` keeps them. A weak leak, and one among too few customers, passes. Categories and
 * flags are not judged here: that one of them excludes an outcome is often its honest condition (only those with a
 * line can cancel it).
 *
 * @param found leaks known already; not part of the rest, which would know everything through them.
 */
export function findTellingAmounts(
  dataset: Dataset,
  labelled: Labelled,
  { tasks, found }: { tasks: TaskPlan; found: readonly Leak[] },
): Leak[] {
  const attributes = new Set([...dataset.catalogue.attributes.map(({ name }) => name), 'annual_value'])
  const known = new Set(found.map(({ origin }) => origin))
  return tasks.outcomes.flatMap(({ outcome }, task) => {
    const soon = drawSoon(labelled, task)
    const ever = drawEver(dataset, labelled, { tasks, task })
    const isJudged = ({ origin }: Feature) =>
      attributes.has(origin) && !known.has(origin) && !isOwnHistory(origin, outcome)
    // Where every customer has one row, the two say the same.
    const samples = ever.rows.length < soon.rows.length ? [soon, ever] : [soon]
    return samples.flatMap((sample) =>
      suspectsIn(drawSample(dataset, sample), { isJudged, known }).map(
        ({ feature: { name, origin }, share }) => ({
          origin,
          outcome: outcome.name,
          words: `${name} tells ${outcome.name} about as well as everything else together, and where it speaks against it only ${(100 * share).toFixed(1)}% of what everything else expects happens: it is probably known only afterwards.`,
        }),
      ),
    )
  })
}

/** Amounts for which all three hold, each with the share of what the rest expects where it speaks against it. */
function suspectsIn(
  sample: Sample,
  { isJudged, known }: { isJudged: (feature: Feature) => boolean; known: ReadonlySet<string> },
): { feature: Feature; share: number }[] {
  const features = Array.from(sample.frame.features.entries())
  const strong = features.flatMap(([index, feature]) => {
    const ranking = isJudged(feature) ? strongRanking(sample, index) : null
    return ranking ? [{ index, feature, ranking }] : []
  })
  if (strong.length === 0) return []
  const rest = features
    .filter(([index, { origin }]) => !known.has(origin) && !strong.some((one) => one.index === index))
    .map(([index]) => index)
  const expected = crossFitted(sample, rest)
  return strong.flatMap(({ index, feature, ranking }) => {
    const share = excludedShare(sample, ranking, expected)
    const isLeak = share !== null && isAddingMuch(sample, expected, crossFitted(sample, [...rest, index]))
    return isLeak ? [{ feature, share }] : []
  })
}

function drawSample(dataset: Dataset, { rows, customer, happened }: LeakSample): Sample {
  const drawn = sampleByCustomer(customer, seed)
  const events = Uint8Array.from(drawn, (at) => happened[at])
  const isRare = 2 * events.reduce((sum, event) => sum + event, 0) <= events.length
  return {
    frame: pickFrame(
      dataset.frame,
      Int32Array.from(drawn, (at) => rows[at]),
    ),
    customer: Int32Array.from(drawn, (at) => customer[at]),
    happened: isRare ? events : events.map((event) => 1 - event),
  }
}

/** A number's values, turned so that high speaks for the rarer side; null where it does not rank it well. */
function strongRanking({ frame, customer, happened }: Sample, index: number): Float64Array | null {
  const column = frame.columns[index]
  if (!(column instanceof Float64Array)) return null
  const values = column.map((value) => (Number.isNaN(value) ? -Number.MAX_VALUE : value))
  const strength = auc({ probability: values, happened }) ?? 0.5
  const customers = countCustomers(customer, (row) => happened[row] === 1)
  const rank = Math.max(strength, 1 - strength)
  if (customers < fewestCustomers || lowerBound(rank, customers) < strongAuc) return null
  return strength > 0.5 ? values : values.map((value) => -value)
}

function countCustomers(customer: Int32Array, isIn: (row: number) => boolean): number {
  return new Set(customer.filter((_, row) => isIn(row))).size
}

/** Held-out probabilities of the rarer side from some features. [rows] */
function crossFitted({ frame, customer, happened }: Sample, indices: readonly number[]): Float64Array {
  const part: FeatureFrame = {
    rows: frame.rows,
    features: indices.map((index) => frame.features[index]),
    columns: indices.map((index) => frame.columns[index]),
  }
  const every = new Float32Array(frame.rows).fill(1)
  const labels = { name: '', intervals: 1, happened, known: Uint8Array.from(every), weight: every }
  const probability = new Float64Array(frame.rows)
  for (const { train, test } of foldsByCustomer(customer, 2, seed)) {
    const targets = [{ label: train.map((row) => happened[row]), weight: every }]
    const encoder = fitEncoder(part, train, { targets })
    const features = encode(encoder, part, 'piecewise')
    const { model } = fitHazards(
      linearDesign(features),
      { labels, rows: train },
      { penalty: 0.003, deviation: 0, tolerance: 1e-4 },
    )
    const said = predictHazards(model, features)
    for (const row of test) probability[row] = said[row]
  }
  return probability
}

/**
 * Of what the rest expects in the tenth of the rows with the lowest ranking, the share that happened; null where that
 * is no exclusion, or too few to say.
 */
function excludedShare(
  { customer, happened }: Sample,
  ranking: Float64Array,
  expected: Float64Array,
): number | null {
  const cut = ranking.toSorted()[Math.floor(excluded.tenth * ranking.length)]
  let rows = 0
  let seen = 0
  let promised = 0
  for (let row = 0; row < ranking.length; row++) {
    if (ranking[row] > cut) continue
    rows++
    seen += happened[row]
    promised += expected[row]
  }
  const customers = countCustomers(customer, (row) => ranking[row] <= cut)
  const atMost = 1 - lowerBound(1 - seen / rows, customers)
  const isExcluding = seen <= excluded.share * promised && atMost * rows <= excluded.atMost * promised
  return isExcluding ? seen / promised : null
}

/** Whether a feature added to the rest adds much of what the rest tells over the base rate. */
function isAddingMuch({ customer, happened }: Sample, expected: Float64Array, withIt: Float64Array): boolean {
  const rate = happened.reduce((sum, event) => sum + event, 0) / happened.length
  const base = logLosses({ probability: new Float64Array(happened.length).fill(rate), happened })
  const rest = logLosses({ probability: expected, happened })
  const whole = logLosses({ probability: withIt, happened })
  const values = base.map((loss, row) => rest[row] - whole[row] - addedShare * (loss - rest[row]))
  return clusterBootstrap({ values, cluster: customer, replicates: 400, seed }).low > 0
}
