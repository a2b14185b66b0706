import { join } from 'node:path'
import type { Day } from '../src/domain/days.ts'
import { type Lake, openLake } from '../src/lake/lake.ts'
import { readProgram } from '../src/lake/program-file.ts'
import {
  compareFeatures,
  type DailyPeer,
  dailyPeers,
  exportForPeers,
  exportOwnFeatures,
  fitPeer,
  type PeerDay,
  type PeerStep,
  type PeerWork,
  runPeer,
} from './daily-peers.ts'
import { print, printRow, type Row } from './daily-report.ts'

/** What peers do of the days that we predict: the same features, checked, and predictions of models of their own. */
export class PeerDays {
  readonly #work: PeerWork
  #ownLosses: Readonly<Record<string, number>> = {}

  constructor(work: PeerWork) {
    this.#work = work
  }

  /** Gives the peers what our version learned from. */
  async learn(): Promise<void> {
    const { ownLosses } = await exportForPeers(this.#work)
    this.#ownLosses = ownLosses
  }

  /** Fits the peer's models, and measures a day from all events. */
  async measureFromAll(peer: DailyPeer, date: Day): Promise<Row> {
    const { words } = dailyPeers[peer]
    const { losses, seconds } = await fitPeer(this.#work, peer)
    const own = Object.values(this.#ownLosses)
    const tasks = Object.entries(losses).map(
      ([task, loss]) => `${task} ${loss.toFixed(4)} (ours ${this.#ownLosses[task].toFixed(4)})`,
    )
    const mean = (all: readonly number[]) =>
      (all.reduce((sum, loss) => sum + loss, 0) / all.length).toFixed(4)
    print(
      `${words} learned in ${seconds.toFixed(0)} s. Log loss on days that nobody saw: mean ${mean(Object.values(losses))}, ours ${mean(own)}; ${tasks.join(', ')}.`,
    )
    const row = await this.#measure(peer, { date, keptDay: date, fresh: [], step: 'raw' })
    await runPeer(this.#work, peer, { date, keptDay: date, fresh: [], step: 'keep' })
    return row
  }

  /** Measures the next day, from what the peer kept and the files that the lake had not before. */
  async measureFromKept(
    peer: DailyPeer,
    { keptDay, date, before }: { keptDay: Day; date: Day; before: Lake },
  ): Promise<Row> {
    const program = await readProgram(this.#work.path, {})
    const { folder, state } = await openLake(this.#work.dataFolder, program)
    const known = new Set(before.state.files.map(({ path }) => path))
    const fresh = state.files
      .filter(({ path, table }) => table === 'events' && !known.has(path))
      .map(({ path }) => join(folder, path))
    return this.#measure(peer, { date, keptDay, fresh, step: 'next' })
  }

  /** Measures a step, then does it again for its features, which must be ours. */
  async #measure(peer: DailyPeer, day: PeerDay & { step: PeerStep }): Promise<Row> {
    const { words } = dailyPeers[peer]
    const used = await runPeer(this.#work, peer, day)
    const rows = Number(used.stdout)
    const row = { words: `${words}, ${day.step === 'raw' ? 'from all events' : 'the next day'}`, used, rows }
    printRow(row)
    const features = join(this.#work.folder, `${peer}-features.parquet`)
    await runPeer(this.#work, peer, { ...day, features })
    const own = await exportOwnFeatures(this.#work, day.date)
    const equal = await compareFeatures(own, features)
    print(
      `${words}: ${equal.compared} of our ${equal.features} features, ${equal.values} values, equal to ours; largest difference ${equal.largest}.`,
    )
    return row
  }
}
