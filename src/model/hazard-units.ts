import { softplus } from './logit.ts'
import type { ParameterProblem } from './parameter-fit.ts'

/** What a correction of hazards is fitted to: rows at risk with a known label. **Shape** all [units]. */
export interface HazardUnits {
  /** Of the hazard before any correction. */
  readonly logit: Float64Array
  /** 1 where the event fell in the interval, 0 where not. */
  readonly happened: Float64Array
  readonly weight: Float64Array
}

/** How many units of equal weight a correction needs before it is considered. */
export interface LeastUnits {
  readonly units: number
  /** Of the rarer kind: those where the event happened, or those where it did not. */
  readonly rarer: number
}

/** Whether the units tell as much as a correction needs. */
export function hasEnough({ happened, weight }: HazardUnits, least: LeastUnits): boolean {
  const kinds = [0, 1].map((kind) => effectiveCount(weight.filter((_, unit) => happened[unit] === kind)))
  return effectiveCount(weight) >= least.units && Math.min(...kinds) >= least.rarer
}

/** How many units of equal weight tell as much (Kish 1965). */
function effectiveCount(weight: Float64Array): number {
  const sum = weight.reduce((total, own) => total + own, 0)
  const squares = weight.reduce((total, own) => total + own ** 2, 0)
  return squares > 0 ? sum ** 2 / squares : 0
}

/** −log of the probability that a logit gives to what happened. */
export function logLossAt(logit: number, happened: number): number {
  return softplus(logit) - happened * logit
}

/** Log loss by the parameters of a logit Σ parameter × term. **Shape** `terms` [parameters][units]. */
export function linearProblem(
  { happened, weight }: HazardUnits,
  terms: readonly Float64Array[],
): ParameterProblem {
  return {
    weight,
    lossOver: (units, at, slopes) => {
      let loss = 0
      slopes.fill(0)
      for (let place = 0; place < units.length; place++) {
        const unit = units[place]
        let logit = 0
        for (let k = 0; k < terms.length; k++) logit += at[k] * terms[k][unit]
        // Sigmoid and softplus share their exponential: this runs millions of times.
        const e = Math.exp(-Math.abs(logit))
        const residual = weight[unit] * ((logit >= 0 ? 1 : e) / (1 + e) - happened[unit])
        for (let k = 0; k < terms.length; k++) slopes[k] += residual * terms[k][unit]
        loss += weight[unit] * (Math.max(logit, 0) + Math.log(1 + e) - happened[unit] * logit)
      }
      return loss
    },
  }
}
