/** Value of a smooth function at `parameters`; writes its gradient into `gradient` (every element). */
export type Objective = (parameters: Float64Array, gradient: Float64Array) => number

export interface LbfgsOptions {
  /** Pairs of steps kept to model the curvature. Default 10. */
  readonly memory?: number
  /** Default 300. */
  readonly maxIterations?: number
  /** Stop once no element of the gradient is larger. Default 1e-6. */
  readonly gradientTolerance?: number
  /** Stop once one step lowers the value by less than this share of it. Default 1e-10. */
  readonly valueTolerance?: number
}

export interface Minimum {
  readonly parameters: Float64Array
  readonly value: number
  readonly iterations: number
  readonly evaluations: number
}

interface Point {
  readonly parameters: Float64Array
  readonly gradient: Float64Array
  readonly value: number
}

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly curvature: number
}

const maxTrials = 40

/**
 * Minimum of a smooth convex function by limited-memory BFGS.
 *
 * A function value of Infinity or NaN marks a point outside the domain: the step is halved.
 * Source: Nocedal & Wright, Numerical Optimization, algorithms 7.4 and 7.5; the step length by bisection on the
 * weak Wolfe conditions of Lewis & Overton (2013).
 */
export function minimise(objective: Objective, start: Float64Array, options: LbfgsOptions = {}): Minimum {
  const { memory = 10, maxIterations = 300, gradientTolerance = 1e-6, valueTolerance = 1e-10 } = options
  let evaluations = 0
  const evaluate = (parameters: Float64Array): Point => {
    const gradient = new Float64Array(parameters.length)
    evaluations++
    return { parameters, gradient, value: objective(parameters, gradient) }
  }
  let point = evaluate(Float64Array.from(start))
  const pairs: Pair[] = []
  let iterations = 0
  while (iterations < maxIterations && largest(point.gradient) > gradientTolerance) {
    const direction = descentDirection(point.gradient, pairs)
    const next = search(evaluate, point, direction)
    if (next === null) break
    iterations++
    const gain = point.value - next.value
    remember(pairs, pairOf(point, next), memory)
    point = next
    if (gain <= valueTolerance * Math.abs(point.value)) break
  }
  return { parameters: point.parameters, value: point.value, iterations, evaluations }
}

function pairOf(from: Point, to: Point): Pair {
  const step = to.parameters.map((x, i) => x - from.parameters[i])
  const change = to.gradient.map((g, i) => g - from.gradient[i])
  return { step, change, curvature: dot(step, change) }
}

function remember(pairs: Pair[], pair: Pair, memory: number): void {
  if (!(pair.curvature > 1e-14 * dot(pair.change, pair.change))) return
  pairs.push(pair)
  if (pairs.length > memory) pairs.shift()
}

/** −(inverse Hessian as seen by the pairs) × gradient; without pairs a gradient step of length at most 1. */
function descentDirection(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((g) => -g)
  const shares = new Float64Array(pairs.length)
  for (let k = pairs.length - 1; k >= 0; k--) {
    shares[k] = dot(pairs[k].step, direction) / pairs[k].curvature
    addScaled(direction, pairs[k].change, -shares[k])
  }
  const last = pairs.at(-1)
  const scale = last
    ? last.curvature / dot(last.change, last.change)
    : Math.min(1, 1 / Math.sqrt(dot(gradient, gradient)))
  for (let i = 0; i < direction.length; i++) direction[i] *= scale
  for (let k = 0; k < pairs.length; k++) {
    const share = dot(pairs[k].change, direction) / pairs[k].curvature
    addScaled(direction, pairs[k].step, shares[k] - share)
  }
  return direction
}

/** A point along `direction` that is lower by enough and flatter by enough; null where rounding forbids one. */
function search(
  evaluate: (parameters: Float64Array) => Point,
  from: Point,
  direction: Float64Array,
): Point | null {
  const slope = dot(from.gradient, direction)
  if (!(slope < 0)) return null
  let length = 1
  let low = 0
  let high = Number.POSITIVE_INFINITY
  let best: Point | null = null
  for (let trial = 0; trial < maxTrials; trial++) {
    const point = evaluate(from.parameters.map((x, i) => x + length * direction[i]))
    if (!(point.value <= from.value + 1e-4 * length * slope)) high = length
    else if (dot(point.gradient, direction) < 0.9 * slope) {
      low = length
      best = point
    } else return point
    length = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2
    if (best !== null && trial > 10) break
  }
  return best
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * source[i]
}

function largest(values: Float64Array): number {
  let max = 0
  for (const value of values) max = Math.max(max, Math.abs(value))
  return max
}
