import { type HazardUnits, logLossAt } from './hazard-units.ts'
import { clampProbability, logit, sigmoid } from './logit.ts'
import type { HazardLabels } from './member.ts'

/**
 * What added to the logits brings the weighted mean probability to the weighted share in which it happened, by Newton.
 *
 * @param spread of what is believed before, in logits: smaller shifts, the more so the fewer units tell.
 */
export function levelShift({ logit, happened, weight }: HazardUnits, spread = Infinity): number {
  let shift = 0
  for (let step = 0; step < 30; step++) {
    let slope = shift / spread ** 2
    let curve = 1e-9 + 1 / spread ** 2
    for (let unit = 0; unit < logit.length; unit++) {
      const p = sigmoid(logit[unit] + shift)
      slope += weight[unit] * (p - happened[unit])
      curve += weight[unit] * p * (1 - p)
    }
    const move = Math.max(-1, Math.min(1, slope / curve))
    shift -= move
    if (Math.abs(move) < 1e-5) break
  }
  return shift
}

/** Units of labelled rows. */
export interface RowUnits extends HazardUnits {
  /** [units] */
  readonly row: Int32Array
}

/** The known labels of one interval that have weight, beside what was said. **Shape** `hazards` [rows × intervals] */
export function unitsOfInterval(
  { intervals, known, happened, weight }: HazardLabels,
  hazards: ArrayLike<number>,
  interval: number,
): RowUnits {
  const row = Int32Array.from(weight.keys()).filter(
    (one) => known[one * intervals + interval] === 1 && weight[one] > 0,
  )
  const at = (one: number) => one * intervals + interval
  return {
    row,
    logit: Float64Array.from(row, (one) => logit(clampProbability(hazards[at(one)]))),
    happened: Float64Array.from(row, (one) => happened[at(one)]),
    weight: Float64Array.from(row, (one) => weight[one]),
  }
}

/** Shifts beyond this are of labels of which all, or none, happened. */
const levelSpread = 5

/**
 * Log loss of hazards brought to the level that the labels have, interval by interval. How heavy a penalty should be is
 * judged by it: where the level has moved, any penalty that leaves slopes small would look good.
 *
 * **Shape** `hazards` [rows × intervals] @returns weighted sum in nats.
 */
export function lossAtOwnLevel(labels: HazardLabels, hazards: ArrayLike<number>): number {
  let loss = 0
  for (let interval = 0; interval < labels.intervals; interval++) {
    const units = unitsOfInterval(labels, hazards, interval)
    const shift = levelShift(units, levelSpread)
    units.logit.forEach((logit, unit) => {
      loss += units.weight[unit] * logLossAt(logit + shift, units.happened[unit])
    })
  }
  return loss
}
