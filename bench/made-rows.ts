import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Feature } from '../src/features/catalogue.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import { answerCount } from '../src/model/member.ts'
import type { Labelled } from '../training/labelled.ts'

const outcomes = ['churn', 'upsell', 'advocacy']
/** Share of rows with an answer; rows of a customer. */
const answeredShare = 0.05
const rowsOfCustomer = 10

/** Rows whose outcomes and answers follow some of the features, one of them only where two agree. */
export function makeRows(
  rows: number,
  columns: number,
  horizons: number,
): { frame: FeatureFrame; labelled: Labelled } {
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
        drawOutcome(name, { rows, horizons }, (row) => uniform() < chance(push(row, task) - 3.5)),
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
  { rows, horizons }: { rows: number; horizons: number },
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
