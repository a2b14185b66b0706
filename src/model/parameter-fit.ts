import { minimise } from './lbfgs.ts'

/** A loss of units (rows, answers) as a smooth convex function of a few parameters. */
export interface ParameterProblem {
  /** [units] */
  readonly weight: Float64Array
  /** Weighted sum of the losses of some units at given parameters; writes its slope by each of them into `slopes`. */
  readonly lossOver: (units: Int32Array, at: Float64Array, slopes: Float64Array) => number
}

/** What is believed of a parameter before any unit was seen: `mean` ± `spread`. */
export interface ParameterPrior {
  readonly mean: number
  readonly spread: number
  /** Default: no bound. */
  readonly least?: number
  /** A parameter that is not free stays at its mean. */
  readonly isFree: boolean
}

/**
 * Least mean loss over `units`, with a prior as strong as one unit: it keeps a separable handful of units finite and
 * is not felt by hundreds. A parameter that would fall below its least is held there and the others are fitted again.
 */
export function fitParameters(
  { weight, lossOver }: ParameterProblem,
  units: Int32Array,
  priors: readonly ParameterPrior[],
): Float64Array {
  const start = Float64Array.from(priors, ({ mean }) => mean)
  const total = units.reduce((sum, unit) => sum + weight[unit], 0)
  if (!(total > 0) || !priors.some(({ isFree }) => isFree)) return start
  const { parameters } = minimise((at, gradient) => {
    // As a mean over units of weight 1, whatever their weights: the prior is one unit of it.
    let loss = lossOver(units, at, gradient) / total
    priors.forEach(({ mean, spread, isFree }, k) => {
      const off = (at[k] - mean) / spread
      loss += off ** 2 / 2 / units.length
      gradient[k] = isFree ? gradient[k] / total + off / spread / units.length : 0
    })
    return loss
  }, start)
  const held = priors.map((prior, k): ParameterPrior => {
    const { least } = prior
    return least !== undefined && parameters[k] < least ? { ...prior, mean: least, isFree: false } : prior
  })
  return held.every((prior, k) => prior === priors[k])
    ? parameters
    : fitParameters({ weight, lossOver }, units, held)
}
