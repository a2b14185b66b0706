import { interceptPrior, slopePrior } from './affine-calibration.ts'
import { type HazardUnits, type LeastUnits, linearProblem } from './hazard-units.ts'
import { softplus } from './logit.ts'
import { fitParameters } from './parameter-fit.ts'

/**
 * Logit x → intercept − lower × softplus(−x) + upper × softplus(x): a slope of its own for small and for large
 * probabilities. With both equal it is the affine correction of that slope.
 *
 * Source: Kull, Silva Filho & Flach (2017), "Beta calibration".
 */
export interface BetaCalibration {
  readonly kind: 'beta'
  readonly intercept: number
  /** Slope far below even odds, at least .05. */
  readonly lower: number
  /** Slope far above even odds, at least .05. */
  readonly upper: number
}

/** Three parameters, each asking for some fifteen of the rarer kind: with fewer they would be those of the prior. */
export const leastForBeta: LeastUnits = { units: 500, rarer: 50 }

/** The beta correction of least log loss over some of the units. */
export function fitBeta(known: HazardUnits): (units: Int32Array) => BetaCalibration {
  const problem = linearProblem(known, [
    new Float64Array(known.logit.length).fill(1),
    known.logit.map((x) => -softplus(-x)),
    known.logit.map(softplus),
  ])
  return (units) => {
    const [intercept, lower, upper] = fitParameters(problem, units, [interceptPrior, slopePrior, slopePrior])
    return { kind: 'beta', intercept, lower, upper }
  }
}

/** The corrected logit as a function of the logit. */
export function betaLogit({ intercept, lower, upper }: BetaCalibration): (x: number) => number {
  return (x) => intercept - lower * softplus(-x) + upper * softplus(x)
}
