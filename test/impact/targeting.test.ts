import { describe, expect, it } from 'vitest'
import { judgeTargeting } from '../../src/impact/targeting.ts'
import { scoreArms } from '../../src/impact/treatment-effects.ts'
import { type ExperimentOptions, simulateExperiment } from '../../training/synthetic/experiment.ts'

function judge(options: ExperimentOptions) {
  const world = simulateExperiment(options)
  const rows = Int32Array.from(world.outcome.keys())
  const [scores] = scoreArms(world, { rows, outcomes: [world.outcome], seed: 1 })
  return judgeTargeting(scores, world, { direction: 1, seed: 1 })
}

describe('whom to treat first', () => {
  it('is told by the effect where effects differ, and not by the risk', () => {
    const { byEffect, byRisk } = judge({ customers: 8000, effect: [0.05, 0.2], seed: 1 })
    // Evenly spread from -.15 to .25, the order by the true effect gains a twelfth of .4 over chance.
    expect(byEffect.qini).toBeGreaterThan(0.02)
    expect(byEffect.ci95[0]).toBeGreaterThan(0)
    expect(byEffect.ci95[1]).toBeGreaterThan(0.4 / 12)
    expect(byEffect.qini).toBeGreaterThan(byRisk.qini)
  })
  it('does not matter where all are moved alike', () => {
    const worlds = Array.from({ length: 40 }, (_, seed) => judge({ customers: 1000, effect: [0.1, 0], seed }))
    const held = worlds.filter(({ byEffect: { ci95 } }) => ci95[0] <= 0 && ci95[1] >= 0)
    expect(held.length).toBeGreaterThanOrEqual(34)
  })
  it('has gains from nobody to everybody', () => {
    const { byEffect, byRisk, everybody } = judge({ customers: 2000, effect: [0.1, 0.1], seed: 2 })
    for (const { gains } of [byEffect, byRisk]) {
      expect(gains[0]).toBe(0)
      expect(gains[10]).toBeCloseTo(everybody, 12)
    }
  })
})
