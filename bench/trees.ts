import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type BoostingSettings, boost } from '../src/model/boosting.ts'
import { layOut } from '../src/model/forest.ts'
import { ForestReader } from '../src/model/forest-reader.ts'
import { sigmoid } from '../src/model/logit.ts'
import type { Matrix } from '../src/model/matrix.ts'
import { logLosses, meanOf } from '../src/model/metrics.ts'
import { binRows, fitBins, mostBins } from '../src/model/tree-bins.ts'
import { hazardTask } from '../src/model/tree-objectives.ts'
import { makeRows } from './made-rows.ts'
import { peerScripts } from './quality-peers.ts'

/** Share of the rows that is learned from; the others judge. */
const learnedShare = 0.8
const timesSlower = 3
const timesWorse = 1.005

/** Rows of one outcome with one horizon, the learned ones first. */
interface Job {
  readonly features: Matrix
  readonly label: Uint8Array
  readonly learned: number
}

interface Fit {
  readonly seconds: number
  /** Mean log loss of the later rows. */
  readonly loss: number
}

/**
 * `npm run bench:trees [-- --rows N --columns N --leaves N --rounds N --pairs N]`: our trees beside XGBoost's on the
 * same rows, with as many leaves and rounds, a thread each, in turns. Exit code 1 where ours take more than three times
 * as long or forecast worse.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '100000' },
      columns: { type: 'string', default: '60' },
      leaves: { type: 'string', default: '31' },
      rounds: { type: 'string', default: '300' },
      pairs: { type: 'string', default: '3' },
    },
  })
  const job = makeJob(Number(values.rows), Number(values.columns))
  const settings = settingsFor(Number(values.leaves), Number(values.rounds))
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-trees-'))
  try {
    await exportJob(folder, job, settings)
    const pairs = Array.from({ length: Number(values.pairs) }, () => ({
      own: fitOurs(job, settings),
      other: fitXGBoost(folder, 1),
      threaded: fitXGBoost(folder, 2),
    }))
    report(pairs)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function makeJob(rows: number, columns: number): Job {
  const { frame, labelled } = makeRows(rows, columns, 1)
  const features = { rows, columns, values: new Float32Array(rows * columns) }
  frame.columns.forEach((column, at) => {
    for (let row = 0; row < rows; row++) features.values[row * columns + at] = Number(column[row])
  })
  return { features, label: labelled.outcomes[0].happened, learned: Math.round(rows * learnedShare) }
}

function settingsFor(mostLeaves: number, mostRounds: number): BoostingSettings {
  const noLimit = { columnShare: 1, rowShare: 1, patience: mostRounds, leastGain: 0 }
  return { rate: 0.1, leastCurvature: 1, l2: 1, mostLeaves, mostRounds, ...noLimit }
}

async function exportJob(folder: string, job: Job, settings: BoostingSettings): Promise<void> {
  const { features, label, learned } = job
  const { rows, columns, values } = features
  const { mostLeaves: leaves, mostRounds: rounds, rate, leastCurvature, l2 } = settings
  const described = { rows, columns, learned, leaves, rounds, rate, leastCurvature, l2, bins: mostBins }
  await writeFile(join(folder, 'job.json'), JSON.stringify(described))
  await writeFile(join(folder, 'features.f32'), new Uint8Array(values.buffer))
  await writeFile(join(folder, 'label.u8'), label)
}

/** From rows to a model in this thread: bins, then trees. */
function fitOurs({ features, label, learned }: Job, settings: BoostingSettings): Fit {
  const { columns, values } = features
  const learning = { rows: learned, columns, values: values.subarray(0, learned * columns) }
  const labels = {
    name: 'outcome',
    intervals: 1,
    happened: label.subarray(0, learned),
    known: new Uint8Array(learned).fill(1),
    weight: new Float32Array(learned).fill(1),
  }
  const started = performance.now()
  const bins = fitBins(learning, new Uint8Array(columns))
  const { trees, offsets } = boost(hazardTask(labels), binRows(learning, bins), { settings, seed: 1 })
  const seconds = (performance.now() - started) / 1000
  const later = { rows: features.rows - learned, columns, values: values.subarray(learned * columns) }
  const sums = new ForestReader(layOut(trees), columns).sums(later, [new Float32Array(later.rows)])
  const probability = Float64Array.from(sums, (sum) => sigmoid(offsets[0] + sum))
  return { seconds, loss: meanOf(logLosses({ probability, happened: label.subarray(learned) })) }
}

function fitXGBoost(folder: string, threads: number): Fit {
  const python = process.env.LOYALCAST_PEERS_PYTHON ?? 'python3'
  const script = join(peerScripts, 'trees.py')
  return JSON.parse(
    execFileSync(python, ['-B', script, folder, String(threads)], { encoding: 'utf8' }),
  ) as Fit
}

function report(pairs: readonly { own: Fit; other: Fit; threaded: Fit }[]): void {
  const say = (who: string, fits: readonly Fit[]) => {
    const seconds = fits.map((fit) => `${fit.seconds.toFixed(1)} s`.padStart(8)).join('')
    process.stdout.write(`${who.padEnd(22)}${seconds}   log loss ${fits[0].loss.toFixed(5)}\n`)
  }
  const own = pairs.map((pair) => pair.own)
  const other = pairs.map((pair) => pair.other)
  say('our trees, 1 thread', own)
  say('XGBoost, 1 thread', other)
  say(
    'XGBoost, 2 threads',
    pairs.map(({ threaded }) => threaded),
  )
  const ratios = pairs.map((pair) => pair.own.seconds / pair.other.seconds).sort((a, b) => a - b)
  const slower = ratios[Math.floor(ratios.length / 2)]
  const worse = own[0].loss / other[0].loss
  const isHeld = slower <= timesSlower && worse <= timesWorse
  const words = `a thread each, our trees take ${slower.toFixed(2)} times as long as XGBoost's (at most ${timesSlower}), their log loss is ${worse.toFixed(4)} of XGBoost's (at most ${timesWorse}).`
  process.stdout.write(`${isHeld ? 'held' : 'NOT HELD'}: ${words}\n`)
  if (!isHeld) process.exitCode = 1
}
