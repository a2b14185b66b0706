import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Feature } from '../src/features/catalogue.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import { type Fitter, openFitter } from '../src/model/fitter.ts'
import { answerCount } from '../src/model/member.ts'
import { type Labelled, pickLabelled } from '../training/labelled.ts'
import { fitMembers } from '../training/members.ts'

const horizons = 3
const outcomes = ['churn', 'upsell', 'advocacy']
/** Share of rows with an answer; rows of a customer; share of the rows that is kept to stop by. */
const answeredShare = 0.05
const rowsOfCustomer = 10
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
  const { frame, labelled } = makeRows(Number(values.rows), Number(values.columns))
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

/** Rows whose outcomes follow some of the features, one of them only where two agree. */
function makeRows(rows: number, columns: number): { frame: FeatureFrame; labelled: Labelled } {
  const random = xoroshiro128plus(1)
  const uniform = () => uniformFloat64(random)
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  const features = Array.from(
    { length: columns },
    (_, index): Feature => ({
      name: `feature_${index}`,
      kind: 'number',
      unit: 'units',
      windowDays: null,
      words: `feature ${index}`,
      origin: `feature_${index}`,
    }),
  )
  const frame: FeatureFrame = {
    rows,
    features,
    columns: features.map((_, index) =>
      Float64Array.from({ length: rows }, () => {
        if (index % 5 === 4 && uniform() < 0.2) return Number.NaN
        return index % 3 === 0 ? Math.floor(Math.exp(normal())) : normal()
      }),
    ),
  }
  const at = (column: number, row: number) => Number(frame.columns[column % columns][row]) || 0
  const push = (row: number, task: number) =>
    0.5 * at(task, row) -
    0.4 * at(task + 7, row) +
    (at(task + 1, row) > 0 === at(task + 2, row) > 0 ? 0.5 : -0.5)
  const chance = (x: number) => 1 / (1 + Math.exp(-x))
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  const answered = all.filter(() => uniform() < answeredShare)
  return {
    frame,
    labelled: {
      rows: all,
      customer: all.map((row) => Math.floor(row / rowsOfCustomer)),
      outcomes: outcomes.map((name, task) =>
        drawOutcome(name, rows, (row) => uniform() < chance(push(row, task) - 3.5)),
      ),
      answers: {
        row: answered,
        leadDays: new Float32Array(answered.length),
        score: Uint8Array.from(answered, (row) =>
          Math.round((answerCount - 1) * chance(push(row, 3) + normal() + 1)),
        ),
        weight: new Float32Array(answered.length).fill(1),
        answerWeight: new Float32Array(answered.length).fill(1),
      },
    },
  }
}

function drawOutcome(
  name: string,
  rows: number,
  happens: (row: number) => boolean,
): Labelled['outcomes'][number] {
  const happened = new Uint8Array(rows * horizons)
  const known = new Uint8Array(rows * horizons)
  for (let row = 0; row < rows; row++) {
    for (let interval = 0; interval < horizons; interval++) {
      known[row * horizons + interval] = 1
      if (!happens(row)) continue
      happened[row * horizons + interval] = 1
      break
    }
  }
  const weight = new Float32Array(rows).fill(1)
  return { name, intervals: horizons, happened, known, observed: new Uint8Array(rows).fill(horizons), weight }
}
