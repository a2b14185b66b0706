import {
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBValue,
} from '@duckdb/node-api'
import { failure, storageFailure } from '../domain/errors.ts'
import { makeFolder } from './durable-files.ts'

export interface DatabaseOptions {
  /** Where DuckDB spills what does not fit in memory. */
  readonly spillFolder: string
  /** Days and times without zone are read in it. */
  readonly timezone: string
  /** A scratch database file; without one the database lives in memory. */
  readonly path?: string
  /** Most memory DuckDB may take, in DuckDB's notation. @default '2GB' */
  readonly memoryLimit?: string
  /** @default 2 */
  readonly threads?: number
}

export type Row = Readonly<Record<string, unknown>>
export type Parameters = Record<string, DuckDBValue>

/** Numbers of a result column, NaN where missing, or its texts. */
export type ResultColumn = Float64Array | (string | null)[]

/** One DuckDB connection with a memory limit and a spill folder. Close it when done. */
export class Database {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection
  readonly #options: DatabaseOptions
  readonly #isBeside: boolean
  #isStopped = false

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    { isBeside, ...options }: DatabaseOptions & { readonly isBeside: boolean },
  ) {
    this.#instance = instance
    this.#connection = connection
    this.#options = options
    this.#isBeside = isBeside
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    await makeFolder(options.spillFolder).catch((error) => refuse(error, options.spillFolder))
    const instance = await DuckDBInstance.create(options.path ?? ':memory:', {
      memory_limit: options.memoryLimit ?? '2GB',
      temp_directory: options.spillFolder,
      threads: String(options.threads ?? 2),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    return Database.#connect(instance, { ...options, isBeside: false })
  }

  static async #connect(
    instance: DuckDBInstance,
    options: DatabaseOptions & { readonly isBeside: boolean },
  ): Promise<Database> {
    const connection = await instance.connect()
    await connection.run(`set TimeZone = ${quoteText(options.timezone)}`)
    return new Database(instance, connection, options)
  }

  /** Another connection to the same tables: what is asked of it does not hold this one up. Close it before this one. */
  beside(): Promise<Database> {
    return Database.#connect(this.#instance, { ...this.#options, isBeside: true })
  }

  async run(sql: string, parameters?: Parameters): Promise<void> {
    await this.#guarded(() => this.#connection.run(sql, parameters))
  }

  /** All rows as plain objects; 64-bit integers become numbers, timestamps `Date`s. */
  async rows<T extends Row = Row>(sql: string, parameters?: Parameters): Promise<T[]> {
    const result = await this.#guarded(() => this.#connection.runAndReadAll(sql, parameters))
    return result.getRowObjectsJS().map((row) => {
      const plain: Record<string, unknown> = {}
      for (const [name, value] of Object.entries(row))
        plain[name] = typeof value === 'bigint' ? Number(value) : value
      return plain as T
    })
  }

  /** The single row of a query that always yields one. */
  async row<T extends Row = Row>(sql: string, parameters?: Parameters): Promise<T> {
    return (await this.rows<T>(sql, parameters))[0]
  }

  /**
   * A result by columns, read chunk by chunk: texts for VARCHAR columns, numbers for all others.
   *
   * **Shape** every column has one entry a row.
   */
  async columns(sql: string, parameters?: Parameters): Promise<Record<string, ResultColumn>> {
    const result = await this.#guarded(() => this.#connection.stream(sql, parameters))
    const names = result.columnNames()
    const isText = names.map((_, index) => String(result.columnType(index)) === 'VARCHAR')
    const parts: ResultColumn[][] = names.map(() => [])
    for (;;) {
      const chunk = await this.#guarded(() => result.fetchChunk())
      const rows = chunk?.rowCount ?? 0
      if (!chunk || rows === 0) break
      for (let index = 0; index < names.length; index++) {
        const vector = chunk.getColumnVector(index)
        parts[index].push(isText[index] ? readTexts(vector, rows) : readNumbers(vector, rows))
      }
    }
    return Object.fromEntries(names.map((name, index) => [name, joined(parts[index], isText[index])]))
  }

  /** Appends whole chunks to a table. Close it to make the rows visible. */
  appender(table: string): Promise<DuckDBAppender> {
    return this.#guarded(() => this.#connection.createAppender(table))
  }

  /** Ends the query at hand, and refuses all others, so that whoever asks them comes to an end soon. */
  stop(): void {
    this.#isStopped = true
    this.#connection.interrupt()
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isStopped) throw failure('stopped', 'The work was stopped before it was done.')
    try {
      return await work()
    } catch (error) {
      return refuse(error, this.#options.spillFolder)
    }
  }

  close(): void {
    this.#connection.closeSync()
    if (!this.#isBeside) this.#instance.closeSync()
  }
}

type Vector = ReturnType<DuckDBDataChunk['getColumnVector']>

function readTexts(vector: Vector, rows: number): (string | null)[] {
  const texts: (string | null)[] = []
  for (let row = 0; row < rows; row++) texts.push(vector.getItem(row) as string | null)
  return texts
}

function readNumbers(vector: Vector, rows: number): Float64Array {
  const numbers = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const item = vector.getItem(row)
    numbers[row] = typeof item === 'number' ? item : item === null ? Number.NaN : Number(item)
  }
  return numbers
}

function joined(parts: ResultColumn[], isText: boolean): ResultColumn {
  if (isText) return (parts as (string | null)[][]).flat()
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts as Float64Array[]) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Throws what a full or closed disk made fail in words, and anything else as it is. */
function refuse(error: unknown, folder: string): never {
  throw storageFailure(error, folder) ?? error
}

/** A column or table name as SQL, whatever it contains. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text literal as SQL, whatever it contains. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A parenthesised list of text literals; matches nothing where empty. */
export function quoteTexts(texts: readonly string[]): string {
  return texts.length === 0 ? '(null)' : `(${texts.map(quoteText).join(', ')})`
}
