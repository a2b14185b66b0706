#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { buildIfNeeded } from '../../bin/build.mjs'

/*
 * node test/native/compare.mjs [--rounds N]
 *
 * Learns and predicts on both backends in turn, on the same made data. Prints a line each: the median seconds of
 * processor time and of the clock, and how far two things lie apart: the predictions of one network on both backends
 * (fails above 1e-3), or of two networks that learned from the same start, one on each backend, until held-out rows
 * told them to stop, beside their losses on further rows.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const rounds = Number(values.rounds)
const backends = ['wasm', 'native']
const sizes = [
  { rows: 1_000, columns: 20 },
  { rows: 10_000, columns: 100 },
  { rows: 10_000, columns: 300 },
]
const tolerance = 1e-3

buildIfNeeded()
const { startBackend } = await import('../../dist/src/model/backend.js')
const { fitNetwork } = await import('../../dist/src/model/network-fit.js')
const { measureLearning, networkSettings } = await import('../../dist/src/model/network-settings.js')

for (const size of sizes) {
  const lines = await compareAt(size)
  console.log(`${size.rows} rows × ${size.columns}`)
  console.table(lines)
  if (lines.predict['most apart'] <= tolerance) continue
  console.error(`One network predicts differently on the two backends, by more than ${tolerance}.`)
  process.exitCode = 1
}

/** A line for a fixed number of epochs, one for predictions, and one for what was learned. */
async function compareAt({ rows, columns }) {
  const [learning, validation, later] = [1, 2, 3].map((seed) => makeRows(rows, columns, seed))
  const settings = networkSettings(measureLearning(learning))
  const leads = [new Float32Array(rows), new Float32Array(rows).fill(90)]
  const predict = (member) => member.predict(later.features, leads)
  const learn = (stop) => fitNetwork(learning, { seed: 1, settings, ...stop })
  const { member } = await learn({ epochs: 1 })
  const epoch = await inTurn(rounds, () => learn({ epochs: 1 }))
  const prediction = await inTurn(rounds, () => predict(member))
  const learned = await inTurn(0, async () => predict((await learn({ validation })).member))
  const losses = backends.map((backend) => logLoss(learned.results[backend], later).toFixed(4))
  return {
    'one epoch': epoch.times,
    predict: { ...prediction.times, ...distance(prediction.results) },
    learned: { ...distance(learned.results), 'loss wasm, native': losses.join(', ') },
  }
}

/** Does something on one backend after the other: once to warm up, then so many times by the clock. */
async function inTurn(rounds, work) {
  const seconds = { wasm: [], native: [] }
  const processor = { wasm: [], native: [] }
  const results = {}
  for (let round = 0; round <= rounds; round++) {
    for (const backend of backends) {
      await startBackend(backend)
      const [started, used] = [performance.now(), process.cpuUsage()]
      results[backend] = await work()
      const { user, system } = process.cpuUsage(used)
      if (round === 0) continue
      seconds[backend].push((performance.now() - started) / 1e3)
      processor[backend].push((user + system) / 1e6)
    }
  }
  const times = {}
  for (const [name, of] of Object.entries({ processor, clock: seconds })) {
    times[`${name} wasm`] = median(of.wasm).toFixed(3)
    times[`${name} native`] = median(of.native).toFixed(3)
    times[`${name} ratio`] = median(of.native.map((time, round) => time / of.wasm[round])).toFixed(2)
  }
  return { results, times }
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** How far apart two predictions lie, in probability: at most and on average. */
function distance({ wasm, native }) {
  const differences = ['hazards', 'answers'].flatMap((task) =>
    wasm[task].flatMap((said, index) =>
      Array.from(said, (share, i) => Math.abs(share - native[task][index][i])),
    ),
  )
  const most = differences.reduce((largest, one) => Math.max(largest, one), 0)
  const mean = differences.reduce((sum, one) => sum + one, 0) / differences.length
  return { 'most apart': Number(most.toPrecision(2)), 'apart on average': Number(mean.toPrecision(2)) }
}

/** Mean log loss of the known labels. */
function logLoss({ hazards: [said] }, { outcomes: [{ happened, known }] }) {
  const losses = [...known.keys()]
    .filter((label) => known[label] === 1)
    .map((label) => -Math.log(happened[label] === 1 ? said[label] : 1 - said[label]))
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
}

/** An outcome of three intervals that turns on where two features agree, and an answer that follows two others. */
function makeRows(rows, columns, seed) {
  const random = xoroshiro128plus(seed)
  const draw = () => uniformFloat64(random)
  const features = {
    rows,
    columns,
    values: Float32Array.from({ length: rows * columns }, () => 4 * draw() - 2),
  }
  const feature = (row, column) => features.values[row * columns + column]
  const intervals = 3
  const happened = new Uint8Array(rows * intervals)
  const known = new Uint8Array(rows * intervals)
  for (let row = 0; row < rows; row++) {
    const hazard = 1 / (1 + Math.exp(2 - feature(row, 0) * feature(row, 1) - feature(row, 2)))
    for (let label = row * intervals; label < (row + 1) * intervals; label++) {
      known[label] = 1
      happened[label] = draw() < hazard ? 1 : 0
      if (happened[label] === 1) break
    }
  }
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  const weight = new Float32Array(rows).fill(1)
  return {
    features,
    customer: all,
    outcomes: [{ name: 'churn', intervals, happened, known, weight }],
    answers: {
      row: all,
      leadDays: new Float32Array(rows),
      score: Uint8Array.from(all, (row) => {
        const location = 6 + feature(row, 3) - feature(row, 4) + 2 * draw()
        return Math.max(0, Math.min(10, Math.round(location)))
      }),
      weight,
    },
  }
}
