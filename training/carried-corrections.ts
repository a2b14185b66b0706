import { shareCorrection } from '../src/model/hazard-correction.ts'
import { meanOf } from '../src/model/metrics.ts'
import type { OutcomeModel } from '../src/model/predictor.ts'
import { eventLogLikelihoods } from './evaluation.ts'
import type { HeldOut } from './held-out.ts'

/** How much of a correction may be carried on; of equally good ones the first: members learn the latest rows anyway. */
const shares = [0, 0.5, 1] as const

/**
 * Corrections as far as they carry: what was off on one block need not be off on the next. How much of them pays is
 * seen where those learned on one block meet the next one, and as much is kept of those that are published.
 *
 * @param first learned on the block before `next`. @param published the same tasks, learned on both.
 */
export function carryCorrections(
  first: readonly OutcomeModel[],
  next: HeldOut,
  published: readonly OutcomeModel[],
): OutcomeModel[] {
  return published.map((model, index) => withShare(model, carriedShare(first[index], next, index)))
}

/** @param index of the outcome */
function carriedShare(model: OutcomeModel, next: HeldOut, index: number): number {
  const gains = shares.map((share) =>
    meanOf(eventLogLikelihoods(withShare(model, share), next, index).values),
  )
  return shares[gains.indexOf(Math.max(...gains))]
}

/** A model whose members are taken at their word. */
export function withoutCorrection(model: OutcomeModel): OutcomeModel {
  return withShare(model, 0)
}

function withShare(model: OutcomeModel, share: number): OutcomeModel {
  return { ...model, calibrator: model.calibrator.map((correction) => shareCorrection(correction, share)) }
}
