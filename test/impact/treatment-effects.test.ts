import jStat from 'jstat'
import { describe, expect, it } from 'vitest'
import { effectOf } from '../../src/impact/doubly-robust.ts'
import { scoreArms } from '../../src/impact/treatment-effects.ts'
import { meanOf } from '../../src/model/metrics.ts'
import {
  type ExperimentOptions,
  type SimulatedExperiment,
  simulateExperiment,
} from '../../training/synthetic/experiment.ts'

function measure(world: SimulatedExperiment, propensity: Float64Array = world.propensity) {
  const rows = Int32Array.from(world.outcome.keys())
  const [scores] = scoreArms({ ...world, propensity }, { rows, outcomes: [world.outcome], seed: 1 })
  return effectOf(scores, world.cluster)
}

function plainDifference({ isTreated, outcome }: SimulatedExperiment): number {
  const arm = (treated: number) => meanOf(outcome.filter((_, i) => isTreated[i] === treated))
  return arm(1) - arm(0)
}

/** How many of the 95% intervals of so many worlds hold the mean effect. */
function coverage(options: Omit<ExperimentOptions, 'seed'>, worlds: number): number {
  let held = 0
  for (let seed = 1; seed <= worlds; seed++) {
    const [low, high] = measure(simulateExperiment({ ...options, seed })).ci95
    const truth = options.effect?.[0] ?? 0
    if (low <= truth && truth <= high) held++
  }
  return held
}

/** The fewest of so many intervals that 99.5% of honest 95% intervals would hold. */
function fewest(worlds: number): number {
  let held = worlds
  while (jStat.binomial.cdf(held - 1, worlds, 0.95) > 0.005) held--
  return held
}

describe('the effect of an experiment', () => {
  it('has intervals that hold the truth as often as they say', () => {
    expect(coverage({ customers: 400, effect: [-0.08, 0.1] }, 150)).toBeGreaterThanOrEqual(fewest(150))
  })
  it('has intervals that hold with few customers and uneven arms', () => {
    expect(coverage({ customers: 60, treatedShare: 0.3, effect: [-0.1, 0] }, 150)).toBeGreaterThanOrEqual(
      fewest(150),
    )
  })
  it('has intervals that hold where whole accounts were drawn', () => {
    const options = { customers: 600, accountSize: 6, effect: [-0.05, 0] } as const
    expect(coverage(options, 150)).toBeGreaterThanOrEqual(fewest(150))
  })
  it('is known better than by the plain difference, since what was known before explains a part', () => {
    const worlds = Array.from({ length: 100 }, (_, seed) => simulateExperiment({ customers: 500, seed }))
    const squared = (estimate: (world: SimulatedExperiment) => number) =>
      meanOf(worlds.map((world) => estimate(world) ** 2))
    expect(squared((world) => measure(world).effect)).toBeLessThan(squared(plainDifference))
  })
})

describe('the effect of what was not randomised', () => {
  const confounded = { customers: 4000, confounding: 1.5, effect: [-0.1, 0] } as const
  const worlds = Array.from({ length: 20 }, (_, seed) => simulateExperiment({ ...confounded, seed }))
  const bias = (estimate: (world: SimulatedExperiment) => number) =>
    Math.abs(meanOf(worlds.map(estimate)) + 0.1)
  const plain = bias(plainDifference)

  it('is free of the bias of a plain comparison', () => {
    expect(plain).toBeGreaterThan(0.05)
    expect(bias((world) => measure(world).effect)).toBeLessThan(plain / 10)
  })
  it('is nearly so with a wrong propensity, where the outcome is foretold well', () => {
    const wrong = new Float64Array(confounded.customers).fill(0.5)
    expect(bias((world) => measure(world, wrong).effect)).toBeLessThan(plain / 5)
  })
})
