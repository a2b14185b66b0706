import jStat from 'jstat'
import { effectOf } from '../src/impact/doubly-robust.ts'
import { scoreArms } from '../src/impact/treatment-effects.ts'
import { meanOf } from '../src/model/metrics.ts'
import { type ExperimentOptions, simulateExperiment } from '../training/synthetic/experiment.ts'

/** Experiments as companies run them: small, uneven, by account, with effects that differ, or without any. */
const designs: Readonly<Record<string, Omit<ExperimentOptions, 'seed'>>> = {
  'no effect': { customers: 1000 },
  'an effect': { customers: 1000, effect: [-0.08, 0] },
  'effects that differ': { customers: 1000, effect: [-0.08, 0.15] },
  'few customers': { customers: 80, effect: [-0.1, 0] },
  'a tenth held out': { customers: 1000, treatedShare: 0.9, effect: [-0.08, 0] },
  'whole accounts': { customers: 1200, accountSize: 6, effect: [-0.05, 0] },
}

/** The least and most of `trials` honest 95% intervals that hold the truth, but in 1% of benches. */
export function binomialRegion(trials: number): readonly [number, number] {
  let least = 0
  while (jStat.binomial.cdf(least, trials, 0.95) < 0.005) least++
  let most = least
  while (jStat.binomial.cdf(most, trials, 0.95) < 0.995) most++
  return [least, most]
}

/** How often 95% intervals hold the true mean effect, by kind of experiment. */
export function judgeEstimators(simulations: number, print: (line: string) => void): void {
  const [least, most] = binomialRegion(simulations)
  print(
    `95% intervals of simulated experiments that hold the truth, of ${simulations}; honest ones lie within ${least} and ${most} (exact binomial, 99%):`,
  )
  for (const [name, design] of Object.entries(designs)) {
    let held = 0
    const errors: number[] = []
    const plainErrors: number[] = []
    for (let seed = 1; seed <= simulations; seed++) {
      const world = simulateExperiment({ ...design, seed })
      const rows = Int32Array.from(world.outcome.keys())
      const [scores] = scoreArms(world, { rows, outcomes: [world.outcome], seed })
      const { effect, ci95 } = effectOf(scores, world.cluster)
      const truth = design.effect?.[0] ?? 0
      if (ci95[0] <= truth && truth <= ci95[1]) held++
      errors.push((effect - truth) ** 2)
      const arm = (own: number) => meanOf(world.outcome.filter((_, i) => world.isTreated[i] === own))
      plainErrors.push((arm(1) - arm(0) - truth) ** 2)
    }
    const isWithin = held >= least && held <= most
    print(
      `  ${name.padEnd(20)} ${String(held).padStart(4)}  ${isWithin ? 'held' : 'not held'}; variance ${(meanOf(errors) / meanOf(plainErrors)).toFixed(3)} of that of the plain difference`,
    )
  }
}
