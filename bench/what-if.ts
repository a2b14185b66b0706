import { parseArgs } from 'node:util'
import { judgeCompanies } from './what-if-companies.ts'
import { judgeEstimators } from './what-if-estimators.ts'

/**
 * `npm run bench:what-if [-- --simulations N] [--seeds N] [--customers N]`: whether measured effects hold the truth, in
 * simulated experiments of the estimator alone and in whole companies that are simulated, ingested and measured.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      simulations: { type: 'string', default: '300' },
      seeds: { type: 'string', default: '20' },
      customers: { type: 'string', default: '5000' },
    },
  })
  const print = (line: string) => process.stdout.write(`${line}\n`)
  if (Number(values.simulations) > 0) judgeEstimators(Number(values.simulations), print)
  if (Number(values.seeds) > 0)
    await judgeCompanies({ seeds: Number(values.seeds), customers: Number(values.customers), print })
}
