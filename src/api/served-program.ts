import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from '../domain/errors.ts'
import { type PredictionColumn, predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import type { LakeState, PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { LakeReader, markNow } from '../lake/lake-reader.ts'
import { allOf, type FieldTest, testSql } from '../lake/prediction-filter.ts'
import type { PredictionLines } from '../lake/prediction-lines.ts'
import {
  type DayTotals,
  type GroupTotals,
  readDayTotals,
  readGroupTotals,
} from '../lake/prediction-totals.ts'
import { columnOrNull, openPredictions, type PredictionFile } from '../lake/read-predictions.ts'
import { ModelCards } from '../model/model-cards.ts'
import { Registry } from '../model/registry.ts'
import { type BoundSql, DayRows } from './day-rows.ts'
import { type Fields, fieldsOf, requireGroup } from './field-tests.ts'
import { Kept } from './kept-results.ts'
import { Problem } from './problems.ts'
import { ServedAttributes } from './served-attributes.ts'
import { ServedLines } from './served-lines.ts'

/** How often a day is looked up anew when its file is gone by the time it is read. */
const mostTries = 3
/** Files whose columns and totals are kept. */
const mostKept = 400

export interface ServedOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly database: Database
  readonly spillFolder: string
  /** Told what went wrong beside a request. */
  readonly onError: (error: unknown) => void
}

/** What is forecast of those who have one value; null: of those who have none. */
export interface GroupOfDay {
  readonly value: string | null
  readonly totals: GroupTotals
}

interface OpenedFile {
  readonly file: PredictionFile
  /** Tells it from all others, also of its path. */
  readonly mark: string
}

/** A day that is being read. */
export interface DayReading {
  readonly file: PredictionFile
  /** Tells the file from all others, also of its path. */
  readonly mark: string
  readonly lake: Lake
  readonly day: Pick<PredictionDay, 'date' | 'path'>
  readonly rows: DayRows
  readonly lines: PredictionLines | null
  /** What its customers may be picked by. */
  readonly fields: Fields
  /** SQL over the rows of the file. */
  readonly where: (tests: readonly FieldTest[]) => Promise<BoundSql | null>
}

/** One program as the API sees it: its published days, read afresh, and its versions. */
export class ServedProgram {
  readonly program: Program
  readonly registry: Registry
  readonly cards: ModelCards
  readonly #database: Database
  readonly #lake: LakeReader
  readonly #files = new Kept<PredictionFile>(mostKept)
  readonly #opened = new WeakMap<LakeState, Map<string, Promise<OpenedFile>>>()
  readonly #totals = new Kept<DayTotals>(mostKept)
  readonly #groups = new Kept<readonly GroupOfDay[]>(mostKept)
  readonly #columns: readonly PredictionColumn[]
  readonly #lines: ServedLines
  readonly #attributes: ServedAttributes
  #preparing: Promise<void> = Promise.resolve()

  constructor(program: Program, options: ServedOptions) {
    const { dataFolder, modelsFolder, database } = options
    this.program = program
    this.#columns = predictionColumns(program)
    this.#lines = new ServedLines(program, options)
    this.#attributes = new ServedAttributes(database, program)
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
    read: (reading: DayReading, day: PredictionDay) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      const lake = await this.#lake.current()
      const day = this.#chosenDay(lake, date)
      const path = join(lake.folder, day.path)
      try {
        const { file, mark } = await this.#open(lake, path)
        if (day === daysOf(lake).at(-1)) this.#lines.want(mark, file)
        return await read(this.#reading({ file, mark, lake, day }), day)
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
  async readPinned<T>(
    { path, date }: Pick<PredictionDay, 'path' | 'date'>,
    read: (reading: DayReading) => Promise<T>,
  ): Promise<T> {
    const lake = await this.#lake.current()
    const isKnown = lake.state.removed.has(path) || daysOf(lake).some((day) => day.path === path)
    const absolute = join(lake.folder, path)
    const expired = new Problem(
      'cursor-expired',
      'The day was predicted again and the rows that this cursor walks over are no longer kept. Begin again without a cursor.',
    )
    if (!isKnown) throw expired
    try {
      const { file, mark } = await this.#open(lake, absolute)
      return await read(this.#reading({ file, mark, lake, day: { path, date } }))
    } catch (error) {
      if (existsSync(absolute)) throw error
      throw expired
    }
  }

  /** What a day adds up to; worked out once a file. */
  totalsOf(date: string | undefined): Promise<{ day: PredictionDay; totals: DayTotals }> {
    return this.readDay(date, async ({ file, mark }, day) => {
      const totals = await this.#totals.get(mark, () => readDayTotals(this.#database, file, this.program))
      return { day, totals }
    })
  }

  /** A day by what `field` holds, a column of texts or an attribute; the largest groups first. Worked out once a file. */
  groupsOf(
    date: string | undefined,
    field: string,
    limit: number,
  ): Promise<{ day: PredictionDay; groups: readonly GroupOfDay[] }> {
    return this.readDay(date, async ({ file, mark, lake, fields }, day) => {
      const { isAttribute } = requireGroup(field, fields)
      const key = `${mark} ${lake.state.sequence} ${limit} ${field}`
      const groups = await this.#groups.get(key, async () => {
        const table = isAttribute ? await this.#attributes.get(file, { mark, lake, date: day.date }) : null
        const value =
          table === null ? columnOrNull(file, field, 'varchar') : `attributes.${table.columns.get(field)}`
        const grouping = { value: `${value}::varchar`, attributes: table?.name ?? null }
        return readGroupTotals(this.#database, file, { program: this.program, grouping, limit })
      })
      return { day, groups }
    })
  }

  /** Whether the rows of the latest day are ready to be sent. */
  get isReady(): boolean {
    return this.#lines.isReady
  }

  /** Has the rows of the latest day made ready; resolves once they are, or where there are none. */
  prepare(): Promise<void> {
    this.#preparing = this.#prepareLatest()
    return this.#preparing
  }

  /** Once this is done nothing reads the database any more. */
  async close(): Promise<void> {
    await this.#preparing.catch(() => undefined)
    await this.#lines.close()
  }

  async #prepareLatest(): Promise<void> {
    if ((await this.days()).length > 0) await this.readDay(undefined, async () => undefined)
    await this.#lines.settled()
  }

  /** A file is looked at once for each state of the lake: another one at its path comes with another commit. */
  #open(lake: Lake, path: string): Promise<OpenedFile> {
    const opened = this.#opened.get(lake.state) ?? new Map<string, Promise<OpenedFile>>()
    this.#opened.set(lake.state, opened)
    const known = opened.get(path)
    if (known) return known
    const opening = this.#openNow(path)
    opened.set(path, opening)
    opening.catch(() => opened.delete(path))
    return opening
  }

  async #openNow(path: string): Promise<OpenedFile> {
    const mark = markNow(path)
    if (mark === null) throw new Error(`${path} is not there.`)
    return { file: await this.#files.get(mark, () => openPredictions(this.#database, path)), mark }
  }

  #reading(found: Pick<DayReading, 'file' | 'mark' | 'lake' | 'day'>): DayReading {
    const { program } = this
    const { file, mark, lake } = found
    const lines = this.#lines.find(mark)
    const rows = new DayRows(this.#database, { file, columns: this.#columns, lines })
    const reading = {
      ...{ ...found, lines, rows },
      // Most requests need none of it.
      get fields() {
        return fieldsOf(program, lake)
      },
      where: (tests: readonly FieldTest[]) => this.#where(reading, tests),
    }
    return reading
  }

  async #where(
    { file, mark, lake, day, fields }: Omit<DayReading, 'where'>,
    tests: readonly FieldTest[],
  ): Promise<BoundSql | null> {
    const isAttribute = ({ field }: FieldTest) => fields.get(field)?.isAttribute === true
    const table = tests.some(isAttribute)
      ? await this.#attributes.get(file, { mark, lake, date: day.date })
      : null
    const conditions = tests.map((one, place) => {
      if (table === null || !isAttribute(one)) {
        const type = fields.get(one.field)?.isNumber ? 'double' : 'varchar'
        return testSql(columnOrNull(file, one.field, type), one, `test_${place}`)
      }
      const { sql, parameters } = testSql(table.columns.get(one.field) as string, one, `test_${place}`)
      return { sql: `file_row_number in (select row from "${table.name}" where ${sql})`, parameters }
    })
    return allOf(conditions)
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
