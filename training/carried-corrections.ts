import { shareCorrection } from '../src/model/hazard-correction.ts'
import { meanOf } from '../src/model/metrics.ts'
import type { OutcomeModel } from '../src/model/predictor.ts'
import { eventLogLikelihoods } from './evaluation.ts'
import type { HeldOut } from './held-out.ts'

/** How much of a correction may be carried on; of equally good ones the first: members learn the latest rows anyway. */
const shares = [0, 0.5, 1] as const

export interface CarriedFrom {
  /** The same tasks, learned on the block before `next`. */
  readonly first: readonly OutcomeModel[]
  readonly next: HeldOut
  /** Whether the level of an outcome has moved between the two. */
  readonly hasMoved: readonly boolean[]
}

/**
 * Corrections as far as they carry: what was off on one block need not be off on the next. How much of them pays is
 * seen where those learned on one block meet the next one, and as much is kept of those that are published. What was
 * corrected across a move is the move itself, which members have learned since: nothing of it is kept.
 */
export function carryCorrections(
  published: readonly OutcomeModel[],
  { first, next, hasMoved }: CarriedFrom,
): OutcomeModel[] {
  return published.map((model, index) =>
    withShare(model, hasMoved[index] ? 0 : carriedShare(first[index], next, index)),
  )
}

/** @param index of the outcome */
function carriedShare(model: OutcomeModel, next: HeldOut, index: number): number {
  const gains = shares.map((share) =>
    meanOf(eventLogLikelihoods(withShare(model, share), next, index).values),
  )
  return shares[gains.indexOf(Math.max(...gains))]
}

function withShare(model: OutcomeModel, share: number): OutcomeModel {
  return { ...model, calibrator: model.calibrator.map((correction) => shareCorrection(correction, share)) }
}
