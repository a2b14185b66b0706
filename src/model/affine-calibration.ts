import { fitParameters, type ParameterPrior, type ParameterProblem } from './parameter-fit.ts'

/** Which of intercept and slope are free. */
export type AffineKind = 'none' | 'shift' | 'temperature' | 'platt'

/** Logit → intercept + slope × logit. Source: Platt (1999). */
export interface AffineCalibration {
  readonly kind: AffineKind
  readonly intercept: number
  /** At least .05: a correction never turns the order round. */
  readonly slope: number
}

/** The least slope of any correction that has parameters. */
export const leastSlope = 0.05
export const interceptPrior: ParameterPrior = { mean: 0, spread: 3, isFree: true }
export const slopePrior: ParameterPrior = { mean: 1, spread: 1, least: leastSlope, isFree: true }

/** Fits by complexity, as `chooseCorrection` wants them, for a loss that has parameters [intercept, slope]. */
export function affineFits(problem: ParameterProblem): ((units: Int32Array) => AffineCalibration)[][] {
  const levels: readonly (readonly AffineKind[])[] = [['none'], ['shift', 'temperature'], ['platt']]
  return levels.map((kinds) => kinds.map((kind) => (units) => fitAffine(problem, units, kind)))
}

function fitAffine(problem: ParameterProblem, units: Int32Array, kind: AffineKind): AffineCalibration {
  const [intercept, slope] = fitParameters(problem, units, [
    { ...interceptPrior, isFree: kind === 'shift' || kind === 'platt' },
    { ...slopePrior, isFree: kind === 'temperature' || kind === 'platt' },
  ])
  return { kind, intercept, slope }
}
