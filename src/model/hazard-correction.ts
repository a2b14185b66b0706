import { type AffineCalibration, affineFits } from './affine-calibration.ts'
import { type BetaCalibration, betaLogit, fitBeta, leastForBeta } from './beta-calibration.ts'
import { type CalibrationOptions, chooseCorrection } from './correction-choice.ts'
import { type HazardUnits, hasEnough, linearProblem, logLossAt } from './hazard-units.ts'
import {
  fitIsotonic,
  type IsotonicCalibration,
  isotonicLogit,
  leastForIsotonic,
} from './isotonic-calibration.ts'

/** A correction of one interval's hazard on the logit scale, strictly ascending. Plain JSON. */
export type HazardCorrection = AffineCalibration | BetaCalibration | IsotonicCalibration

/**
 * Chooses and fits one of, from simple to complex: none; shift or temperature; both (Platt); beta; isotonic. The last
 * two only where there are enough units for them. See {@link chooseCorrection}.
 */
export function fitHazardCorrection(known: HazardUnits, options: CalibrationOptions): HazardCorrection {
  const { logit, happened, weight } = known
  const affine = linearProblem(known, [new Float64Array(logit.length).fill(1), logit])
  return chooseCorrection<HazardCorrection>(
    {
      weight,
      levels: [
        ...affineFits(affine),
        ...(hasEnough(known, leastForBeta) ? [[fitBeta(known)]] : []),
        ...(hasEnough(known, leastForIsotonic) ? [[fitIsotonic(known)]] : []),
      ],
      lossUnder: (correction) => {
        const corrected = correctedLogit(correction)
        return (unit) => logLossAt(corrected(logit[unit]), happened[unit])
      },
    },
    options,
  )
}

/** The corrected logit as a function of the logit. */
export function correctedLogit(correction: HazardCorrection): (x: number) => number {
  switch (correction.kind) {
    case 'beta':
      return betaLogit(correction)
    case 'isotonic':
      return isotonicLogit(correction)
    default:
      return (x) => correction.intercept + correction.slope * x
  }
}
