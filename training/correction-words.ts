import type { AnswerCalibrator, HazardCalibrator } from '../src/model/calibrator.ts'
import type { HazardCorrection } from '../src/model/hazard-correction.ts'

/** A task's corrections in short words: one, or for an outcome one for each interval between its horizons. */
export function describeCorrections(calibrator: AnswerCalibrator | HazardCalibrator): string {
  return 'kind' in calibrator ? describeCorrection(calibrator) : calibrator.map(describeCorrection).join(', ')
}

function describeCorrection(correction: HazardCorrection): string {
  switch (correction.kind) {
    case 'none':
      return 'none'
    case 'shift':
      return `shift ${signed(correction.intercept)}`
    case 'temperature':
      return `temperature (slope ${correction.slope.toFixed(2)})`
    case 'platt':
      return `Platt (slope ${correction.slope.toFixed(2)}, shift ${signed(correction.intercept)})`
    case 'beta':
      return `beta (slopes ${correction.lower.toFixed(2)} below and ${correction.upper.toFixed(2)} above even odds, shift ${signed(correction.intercept)})`
    case 'isotonic':
      return `isotonic (${correction.from.length} knots)`
  }
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
}
