import { parseArgs } from 'node:util'
import { judgeBehaviours } from './what-if-behaviours.ts'
import { judgeCompanies } from './what-if-companies.ts'
import { judgeEstimators } from './what-if-estimators.ts'
import { measureSpeed } from './what-if-speed.ts'

/**
 * `npm run bench:what-if [-- --simulations N] [--seeds N] [--behaviour-seeds N] [--customers N]`: whether measured effects
 * hold the truth, in simulated experiments of the estimator alone and in whole companies that are simulated, ingested and
 * measured; and whether answers about edited behaviour come near what is true.
 *
 * With `--speed [--customers N] [--rounds N] [--folder DIR] [--only TEXT]`: how long answers take in a large company.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      simulations: { type: 'string', default: '300' },
      seeds: { type: 'string', default: '20' },
      'behaviour-seeds': { type: 'string', default: '6' },
      customers: { type: 'string' },
      speed: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      folder: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  })
  const print = (line: string) => process.stdout.write(`${line}\n`)
  if (values.speed) {
    const { folder = null, only } = values
    const customers = Number(values.customers ?? 100_000)
    await measureSpeed({ customers, rounds: Number(values.rounds), folder, only, print })
    return
  }
  if (Number(values.simulations) > 0) judgeEstimators(Number(values.simulations), print)
  const customers = Number(values.customers ?? 5000)
  if (Number(values.seeds) > 0) await judgeCompanies({ seeds: Number(values.seeds), customers, print })
  const behaviourSeeds = Number(values['behaviour-seeds'])
  if (behaviourSeeds > 0) await judgeBehaviours({ seeds: behaviourSeeds, customers, print })
}
