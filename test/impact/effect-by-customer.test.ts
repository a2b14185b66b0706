import { describe, expect, it } from 'vitest'
import { effectsAt, fitCustomerEffects, meanEffectAt } from '../../src/impact/effect-by-customer.ts'
import { scoreArms } from '../../src/impact/treatment-effects.ts'
import { meanOf } from '../../src/model/metrics.ts'
import { type ExperimentOptions, simulateExperiment } from '../../training/synthetic/experiment.ts'

function learn(options: ExperimentOptions) {
  const world = simulateExperiment(options)
  const rows = Int32Array.from(world.outcome.keys())
  const scores = scoreArms(world, { rows, outcomes: [world.outcome], seed: 1 })
  const [effects] = fitCustomerEffects(scores, world, 1)
  return { world, effects }
}

/** Share of worlds in which it holds. */
function share(worlds: number, holds: (seed: number) => boolean): number {
  return Array.from({ length: worlds }, (_, seed) => holds(seed)).filter(Boolean).length / worlds
}

describe('effects by customer', () => {
  it('are the average where all are moved alike, but for a few chances in a hundred', () => {
    const isShown = (seed: number) => learn({ customers: 1000, effect: [-0.1, 0], seed }).effects.slope > 0
    expect(share(60, isShown)).toBeLessThanOrEqual(0.15)
  })
  it('follow what moves them where they differ', () => {
    const { world, effects } = learn({ customers: 6000, effect: [-0.1, 0.2], seed: 3 })
    expect(effects.slope).toBeGreaterThan(0.5)
    const own = effectsAt(effects, world.features)
    const high = own.filter((_, row) => world.effect[row] > 0.05)
    const low = own.filter((_, row) => world.effect[row] < -0.25)
    expect(meanOf(high) - meanOf(low)).toBeGreaterThan(0.2)
  })
  it('have an interval that holds the mean of other people, too', () => {
    const holds = (seed: number) => {
      const { effects } = learn({ customers: 2000, effect: [-0.1, 0.2], seed })
      const others = simulateExperiment({ customers: 1500, effect: [-0.1, 0.2], seed: seed + 500 })
      const picked = Int32Array.from(others.effect.keys()).filter(
        (row) => others.features.values[row * 4 + 1] > 0.3,
      )
      const values = new Float32Array(picked.length * 4)
      for (const [place, row] of picked.entries())
        values.set(others.features.values.subarray(row * 4, row * 4 + 4), place * 4)
      const { effect, standardError } = meanEffectAt(effects, { rows: picked.length, columns: 4, values })
      const truth = meanOf(Array.from(picked, (row) => others.effect[row]))
      return Math.abs(effect - truth) < 1.96 * standardError
    }
    expect(share(60, holds)).toBeGreaterThanOrEqual(0.85)
  })
})
