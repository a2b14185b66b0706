import { Database } from '../src/lake/database.ts'

/** Queries by what they are for: the first that fits. */
const stages: readonly (readonly [stage: string, sql: RegExp])[] = [
  ['who is asked about', /table (members|candidates|at_risk|scope|studied|part_\w+|day_spine)\b/],
  ['copies of rows', /table (studied|donors)_/],
  ['edits', /(table|into) drawn/],
  [
    'features',
    /table (event_days|events_by_type|values_by_type|property_\d+|activity_by_row|responses_by_metric|latest_arms)\b|as f0\b/,
  ],
  ['other queries', /^/],
]

/** Adds up how long queries take by what they are for, while it watches: every database of the process. */
export class DatabaseWatch {
  readonly #ms = new Map<string, number>(stages.map(([stage]) => [stage, 0]))
  readonly #unwatched = { run: Database.prototype.run, columns: Database.prototype.columns }
  readonly #rows = Database.prototype.rows

  constructor() {
    const { run, columns } = this.#unwatched
    const rows = this.#rows
    const timed = this.#timed.bind(this)
    Database.prototype.run = function (sql, parameters) {
      return timed(sql, () => run.call(this, sql, parameters))
    }
    Database.prototype.columns = function (sql, parameters) {
      return timed(sql, () => columns.call(this, sql, parameters))
    }
    Database.prototype.rows = function (sql, parameters) {
      return timed(sql, () => rows.call(this, sql, parameters)) as never
    }
  }

  async #timed<T>(sql: string, query: () => Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await query()
    } finally {
      const [stage] = stages.find(([, fits]) => fits.test(sql.trim())) as (typeof stages)[number]
      this.#ms.set(stage, (this.#ms.get(stage) ?? 0) + performance.now() - started)
    }
  }

  stop(): void {
    Object.assign(Database.prototype, this.#unwatched, { rows: this.#rows })
  }

  /** Queries and the rest of so many milliseconds: forecasts, as far as queries did not go on meanwhile, and sums. */
  inWords(wallMs: number): string {
    const queried = [...this.#ms.values()].reduce((sum, ms) => sum + ms, 0)
    const all = [...this.#ms, ['forecasts and sums', wallMs - queried] as const]
    return all.map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(1)}`).join(', ')
  }
}
