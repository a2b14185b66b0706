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

/** Level and spread corrected together, however few units there are. */
export function fitPlatt({ logit, happened, weight }: HazardUnits): HazardCorrection {
  const terms = [new Float64Array(logit.length).fill(1), logit]
  const [, , [platt]] = affineFits(linearProblem({ logit, happened, weight }, terms))
  return platt(Int32Array.from(logit.keys()))
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

/**
 * A share of a correction: logits are moved by so much of what it moves them. All kinds are closed under it.
 *
 * @param share 0 to 1; at 0 nothing is corrected.
 */
export function shareCorrection(correction: HazardCorrection, share: number): HazardCorrection {
  if (share === 0) return { kind: 'none', intercept: 0, slope: 1 }
  const from1 = (slope: number) => 1 + share * (slope - 1)
  switch (correction.kind) {
    case 'beta': {
      const { kind, intercept, lower, upper } = correction
      return { kind, intercept: share * intercept, lower: from1(lower), upper: from1(upper) }
    }
    case 'isotonic': {
      const { kind, from, to } = correction
      return { kind, from, to: to.map((value, knot) => from[knot] + share * (value - from[knot])) }
    }
    default:
      return {
        ...correction,
        intercept: share * correction.intercept,
        slope: from1(correction.slope),
      }
  }
}
