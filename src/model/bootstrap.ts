import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { failure } from '../domain/errors.ts'
import { densePositions, shuffledIndices } from './folds.ts'

/** What to average and how rows hang together. **Shape** all [rows]. */
export interface BootstrapInput {
  readonly values: ArrayLike<number>
  /** Default: every row weighs 1. */
  readonly weights?: ArrayLike<number>
  /** Rows of one cluster (customer) are drawn together. */
  readonly cluster: ArrayLike<number>
  /** Samples drawn. Default 1000. */
  readonly replicates?: number
  readonly seed: number
}

/** A mean and its 95% interval. */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** With the one-sided bound beside it. */
export interface BoundedInterval extends Interval {
  /** The mean lies above it with 95% probability. */
  readonly lowerBound: number
}

/** More clusters than this are merged at random: the spread of their means stays the same, to about 1%. */
const mostClusters = 4096

/**
 * Weighted mean with its 95% percentile interval and lower bound, drawing whole clusters with replacement.
 *
 * Overconfident below about 20 clusters. Throws `nothing_to_average` where no row has weight.
 * Source: Efron & Tibshirani (1993); Field & Welsh (2007) for clusters.
 */
export function clusterBootstrap(input: BootstrapInput): BoundedInterval {
  const { replicates = 1000, seed } = input
  const { sums, weights } = sumByCluster(input)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (!(total > 0)) throw failure('nothing_to_average', 'No row has a weight above 0: there is no mean.')
  const random = xoroshiro128plus(seed)
  const means: number[] = []
  for (let replicate = 0; replicate < replicates; replicate++) {
    let sum = 0
    let weight = 0
    for (let draw = 0; draw < sums.length; draw++) {
      const cluster = uniformInt(random, 0, sums.length - 1)
      sum += sums[cluster]
      weight += weights[cluster]
    }
    if (weight > 0) means.push(sum / weight)
  }
  means.sort((a, b) => a - b)
  return {
    mean: sums.reduce((sum, value) => sum + value, 0) / total,
    low: quantile(means, 0.025),
    lowerBound: quantile(means, 0.05),
    high: quantile(means, 0.975),
  }
}

function sumByCluster({ values, weights, cluster, seed }: BootstrapInput): {
  sums: Float64Array
  weights: Float64Array
} {
  const { position, count } = densePositions(cluster)
  const order = count > mostClusters ? shuffledIndices(count, seed) : null
  const size = Math.min(count, mostClusters)
  const sums = new Float64Array(size)
  const totals = new Float64Array(size)
  for (let row = 0; row < values.length; row++) {
    const at = order === null ? position[row] : order[position[row]] % mostClusters
    const weight = weights === undefined ? 1 : weights[row]
    sums[at] += weight * values[row]
    totals[at] += weight
  }
  return { sums, weights: totals }
}

/** Linear between the two nearest of the sorted values. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}
