import { upperBound } from '../features/piecewise.ts'
import type { HazardUnits, LeastUnits } from './hazard-units.ts'
import { logit, sigmoid } from './logit.ts'

/**
 * Logit → logit along straight lines through knots, and beyond the outermost ones with slope 1. Both ascend
 * strictly, so the order of customers is never turned and never flattened. **Shape** `from`, `to`: [knots], at least 1.
 */
export interface IsotonicCalibration {
  readonly kind: 'isotonic'
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/**
 * A free monotone curve spends about n^⅓ steps: below some thousand rows it was measured to be worse than a
 * parametric form (Niculescu-Mizil & Caruana 2005), and what it can tell about rare events is told by the rarer kind.
 */
export const leastForIsotonic: LeastUnits = { units: 2_000, rarer: 300 }

/** Neighbours on the logit scale that share one corrected probability. */
interface Block {
  readonly weight: number
  /** Mean of the logits, weighted. */
  readonly centre: number
  /** Mean of the uncorrected probabilities, weighted. */
  readonly said: number
  /** Share in which the event happened. */
  readonly value: number
}

/**
 * Centred isotonic regression over some of the units: violators of the order are pooled, and the blocks' values hold
 * at their centres, with straight lines between.
 *
 * Each block's value is pulled towards the uncorrected one with the force of a logit known to ± 1, so that a block
 * where everything or nothing happened stays finite and a handful of rows moves little.
 * Source: Oron & Flournoy (2017), "Centered isotonic regression"; pooling by Ayer et al. (1955).
 */
export function fitIsotonic({ logit: x, happened, weight }: HazardUnits) {
  return (units: Int32Array): IsotonicCalibration => {
    const used = units.filter((unit) => weight[unit] > 0).sort((a, b) => x[a] - x[b])
    if (used.length === 0) return { kind: 'isotonic', from: [0], to: [0] }
    const scale = used.length / used.reduce((sum, unit) => sum + weight[unit], 0)
    const rows = Array.from(used, (unit) => ({
      weight: scale * weight[unit],
      centre: x[unit],
      said: sigmoid(x[unit]),
      value: happened[unit],
    }))
    const steps = pool(pool(rows, isSamePlace), isOutOfOrder)
    const blocks = pool(steps.map(pullToSaid), isOutOfOrder)
    return {
      kind: 'isotonic',
      from: blocks.map(({ centre }) => centre),
      to: blocks.map(({ value }) => logit(value)),
    }
  }
}

/** Joins neighbours until none of them is as `mustJoin` says. */
function pool(ordered: readonly Block[], mustJoin: (before: Block, after: Block) => boolean): Block[] {
  const pooled: Block[] = []
  for (const block of ordered) {
    let last = block
    for (let before = pooled.at(-1); before && mustJoin(before, last); before = pooled.at(-1)) {
      pooled.pop()
      last = joined(before, last)
    }
    pooled.push(last)
  }
  return pooled
}

const isSamePlace = (before: Block, after: Block) => before.centre === after.centre
const isOutOfOrder = (before: Block, after: Block) => before.value >= after.value

function joined(a: Block, b: Block): Block {
  const weight = a.weight + b.weight
  // From a towards b: of equal ones exactly the same, so that ties stay ties.
  const mean = (key: 'centre' | 'said' | 'value') => a[key] + (b.weight / weight) * (b[key] - a[key])
  return { weight, centre: mean('centre'), said: mean('said'), value: mean('value') }
}

/** Adds as many imagined rows at the uncorrected probability as tell its logit to ± 1. */
function pullToSaid(block: Block): Block {
  const { weight, said, value } = block
  const imagined = 1 / (said * (1 - said))
  return { ...block, value: (weight * value + imagined * said) / (weight + imagined) }
}

/** The corrected logit as a function of the logit. */
export function isotonicLogit({ from, to }: IsotonicCalibration): (x: number) => number {
  const last = from.length - 1
  return (x) => {
    if (x <= from[0]) return to[0] + (x - from[0])
    if (x >= from[last]) return to[last] + (x - from[last])
    const upper = upperBound(from, x)
    const share = (x - from[upper - 1]) / (from[upper] - from[upper - 1])
    return to[upper - 1] + share * (to[upper] - to[upper - 1])
  }
}
