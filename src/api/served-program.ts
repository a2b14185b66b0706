import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { LakeReader, markOf } from '../lake/lake-reader.ts'
import { type DayTotals, readDayTotals } from '../lake/prediction-totals.ts'
import { openPredictions, type PredictionFile } from '../lake/read-predictions.ts'
import { ModelCards } from '../model/model-cards.ts'
import { Registry } from '../model/registry.ts'
import { Problem } from './problems.ts'

/** How often a day is looked up anew when its file is gone by the time it is read. */
const mostTries = 3
/** Files whose columns and totals are kept. */
const mostKept = 400

/** One program as the API sees it: its published days, read afresh, and its versions. */
export class ServedProgram {
  readonly program: Program
  readonly registry: Registry
  readonly cards: ModelCards
  readonly #database: Database
  readonly #lake: LakeReader
  readonly #files = new Kept<PredictionFile>()
  readonly #totals = new Kept<DayTotals>()

  constructor(
    program: Program,
    { dataFolder, modelsFolder, database }: { dataFolder: string; modelsFolder: string; database: Database },
  ) {
    this.program = program
    this.registry = new Registry(modelsFolder, program.name)
    this.cards = new ModelCards(this.registry)
    this.#database = database
    this.#lake = new LakeReader(dataFolder, program)
  }

  get database(): Database {
    return this.#database
  }

  /** The days that have predictions, oldest first. */
  async days(): Promise<PredictionDay[]> {
    return daysOf(await this.#lake.current())
  }

  /** When predictions were published last, ISO 8601; null: never. */
  async predictedAt(): Promise<string | null> {
    return (await this.#lake.current()).state.predictedAt
  }

  /**
   * Reads the predictions of a day, the latest unless told. A file that is replaced and swept meanwhile is no failure:
   * the day is looked up again.
   *
   * **Errors** `no-predictions` with the days that there are, `lake-damaged` where the file stays away.
   */
  async readDay<T>(
    date: string | undefined,
    read: (file: PredictionFile, day: PredictionDay) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      const lake = await this.#lake.current()
      const day = this.#chosenDay(lake, date)
      const path = join(lake.folder, day.path)
      try {
        return await read(await this.#open(path), day)
      } catch (error) {
        if (existsSync(path)) throw error
        if (tries === mostTries) throw failure('lake-damaged', `${path} is named by the lake but not there.`)
      }
    }
  }

  /**
   * Reads a file that counted when a walk over its pages began, also after its day was replaced.
   *
   * **Errors** `cursor-expired` once it has been swept away, or where the lake never had it.
   */
  async readPinned<T>(path: string, read: (file: PredictionFile) => Promise<T>): Promise<T> {
    const lake = await this.#lake.current()
    const isKnown = lake.state.removed.has(path) || daysOf(lake).some((day) => day.path === path)
    const absolute = join(lake.folder, path)
    const expired = new Problem(
      'cursor-expired',
      'The day was predicted again and the rows that this cursor walks over are no longer kept. Begin again without a cursor.',
    )
    if (!isKnown) throw expired
    try {
      return await read(await this.#open(absolute))
    } catch (error) {
      if (existsSync(absolute)) throw error
      throw expired
    }
  }

  /** What a day adds up to; worked out once a file. */
  totalsOf(date: string | undefined): Promise<{ day: PredictionDay; totals: DayTotals }> {
    return this.readDay(date, async (file, day) => {
      const mark = await markOf(file.path)
      const totals = await this.#totals.get(mark, () => readDayTotals(this.#database, file, this.program))
      return { day, totals }
    })
  }

  async #open(path: string): Promise<PredictionFile> {
    return this.#files.get(await markOf(path), () => openPredictions(this.#database, path))
  }

  #chosenDay(lake: Lake, date: string | undefined): PredictionDay {
    const days = daysOf(lake)
    const found = date === undefined ? days.at(-1) : lake.state.predictions.get(date)
    if (found) return found
    const known = days.map((day) => day.date).toReversed()
    if (known.length === 0) {
      throw new Problem(
        'no-predictions',
        `${this.program.name} has no predictions yet. Run loyalcast daily.`,
        { days: [] },
      )
    }
    const shown = `${known.slice(0, 10).join(', ')}${known.length > 10 ? ` and ${known.length - 10} earlier ones` : ''}`
    throw new Problem(
      'no-predictions',
      `${this.program.name} has no predictions of ${date}. There are predictions of: ${shown}.`,
      { days: known.slice(0, 100) },
    )
  }
}

function daysOf({ state }: Lake): PredictionDay[] {
  return [...state.predictions.values()].sort((a, b) => (a.date < b.date ? -1 : 1))
}

/** The latest results of work that gives the same whenever it is done; work at hand is waited for, not done twice. */
class Kept<T> {
  readonly #results = new Map<string, Promise<T>>()

  async get(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#results.get(key)
    if (known) return known
    const result = work()
    this.#results.set(key, result)
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= mostKept) break
      this.#results.delete(oldest)
    }
    try {
      return await result
    } catch (error) {
      this.#results.delete(key)
      throw error
    }
  }
}
