import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Fitter, openFitter } from '../src/model/fitter.ts'
import { pickLabelled } from '../training/labelled.ts'
import { fitMembers } from '../training/members.ts'
import { makeRows } from './made-rows.ts'

const horizons = 3
/** Share of the rows that is kept to stop by. */
const heldBackShare = 0.2

/**
 * `npm run bench:training [-- --rows N] [--columns N]`: fits every member on made rows, NPS and three outcomes of three
 * horizons, and prints how long each fit took and how much memory all took.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { rows: { type: 'string', default: '200000' }, columns: { type: 'string', default: '120' } },
  })
  const { frame, labelled } = makeRows(Number(values.rows), Number(values.columns), horizons)
  const first = Math.round(frame.rows * (1 - heldBackShare))
  const places = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i)
  const fitter = timed(await openFitter())
  const started = performance.now()
  await fitMembers(pickLabelled(labelled, places(0, first)), {
    frame,
    fitter,
    seed: 1,
    validation: pickLabelled(labelled, places(first, frame.rows)),
  })
  const seconds = (performance.now() - started) / 1000
  await fitter.close()
  const memory = process.resourceUsage().maxRSS / 1024 ** 2
  process.stdout.write(
    `${frame.rows} rows × ${frame.columns.length} features, ${availableParallelism()} processors: ${seconds.toFixed(0)} s, ${memory.toFixed(1)} GiB at most.\n`,
  )
}

/** Prints how long each fit took; fits go on side by side, so they add up to more than the whole. */
function timed(fitter: Fitter): Fitter {
  const watch =
    <Inputs extends unknown[], Result>(name: string, learn: (...inputs: Inputs) => Promise<Result>) =>
    async (...inputs: Inputs) => {
      const started = performance.now()
      const result = await learn(...inputs)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      process.stdout.write(`  ${name.padEnd(10)} ${seconds.padStart(7)} s\n`)
      return result
    }
  return {
    logistic: watch('logistic', fitter.logistic),
    network: watch('network', fitter.network),
    trees: watch('trees', fitter.trees),
    close: fitter.close,
  }
}
