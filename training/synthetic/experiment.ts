import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Matrix } from '../../src/model/matrix.ts'

/** Customers with known laws: what was known before, who was treated, what happened in either case. */
export interface SimulatedExperiment {
  readonly features: Matrix
  readonly isTreated: Uint8Array
  readonly cluster: Int32Array
  /** True chance of being treated. */
  readonly propensity: Float64Array
  readonly outcome: Float64Array
  /** True effect on each customer. */
  readonly effect: Float64Array
}

export interface ExperimentOptions {
  readonly customers: number
  readonly seed: number
  /** Logit of being treated for each unit of the first feature. @default 0: an experiment */
  readonly confounding?: number
  readonly treatedShare?: number
  /** Effect on everybody, and more for each unit of the second feature. */
  readonly effect?: readonly [number, number]
  /** Customers of one account are treated together and share luck. @default 1 */
  readonly accountSize?: number
}

/** A yes-or-no outcome with a chance of about a third that depends on two of four features. */
export function simulateExperiment(options: ExperimentOptions): SimulatedExperiment {
  const { customers, confounding = 0, treatedShare = 0.5, effect = [0, 0], accountSize = 1 } = options
  const generator = xoroshiro128plus(options.seed * 7919 + 13)
  const random = () => uniformFloat64(generator)
  const columns = 4
  const values = new Float32Array(customers * columns)
  const world = {
    isTreated: new Uint8Array(customers),
    cluster: Int32Array.from({ length: customers }, (_, i) => Math.floor(i / accountSize)),
    propensity: new Float64Array(customers),
    outcome: new Float64Array(customers),
    effect: new Float64Array(customers),
  }
  let shared = { chance: 0, luck: 0 }
  for (let i = 0; i < customers; i++) {
    if (i % accountSize === 0) shared = { chance: random(), luck: 0.2 * (random() - 0.5) }
    const x = values.subarray(i * columns, (i + 1) * columns)
    for (let c = 0; c < columns; c++) x[c] = 2 * random() - 1
    const logit = Math.log(treatedShare / (1 - treatedShare)) + confounding * x[0]
    world.propensity[i] = 1 / (1 + Math.exp(-logit))
    world.isTreated[i] = shared.chance < world.propensity[i] ? 1 : 0
    if (accountSize === 1) shared = { chance: random(), luck: 0 }
    const base = 0.35 + 0.2 * x[0] + 0.05 * x[1] + (accountSize > 1 ? shared.luck : 0)
    world.effect[i] = effect[0] + effect[1] * x[1]
    world.outcome[i] = random() < base + (world.isTreated[i] ? world.effect[i] : 0) ? 1 : 0
  }
  return { features: { rows: customers, columns, values }, ...world }
}
