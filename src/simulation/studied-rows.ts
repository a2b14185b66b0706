import type { Day } from '../domain/days.ts'
import { type BehaviourRelations, lakeRelations } from '../features/relations.ts'
import { type Database, quoteText } from '../lake/database.ts'
import { donorsOf } from './edits.ts'
import type { Asked } from './question.ts'
import type { Change } from './scenario.ts'
import type { Scope } from './scope.ts'

/** Events that added ones are modelled on. */
const mostDonors = 2000

export interface StudiedRequest {
  readonly asked: Asked
  /** The lake's own rows, of everybody. */
  readonly all: BehaviourRelations
  readonly scope: Scope
  readonly from: Day
  readonly date: Day
}

/** A part of those studied, and where its rows are. */
export interface StudiedPart {
  /** Answers given while changes are in force are left out. */
  readonly relations: BehaviourRelations
  /** Row in `studied` of each row of the part: the population's first, then others. */
  readonly studied: Int32Array
}

/**
 * The customers of the table `studied`, part by part: the part that is open is in the tables `part_studied` and
 * `part_scope` (row, studied, customer_id, cutoff, joined), numbered alike, the latter without the others to compare with.
 */
export class StudiedRows {
  readonly #database: Database
  readonly #request: StudiedRequest
  /** By the types of events: the table of their donors. */
  readonly #donors = new Map<string, string>()
  #open: { readonly place: number; readonly part: StudiedPart } | null = null

  constructor(database: Database, request: StudiedRequest) {
    this.#database = database
    this.#request = request
  }

  /** Opens a part in place of the one that is open. */
  async open(place: number): Promise<StudiedPart> {
    if (this.#open?.place === place) return this.#open.part
    const database = this.#database
    const { scope, from } = this.#request
    await database.run(`
      create or replace temp table part_studied as
      select
        (row_number() over (order by row) - 1)::integer as row,
        row as studied,
        customer_id,
        cutoff,
        joined
      from studied
      where part = ${place}`)
    await database.run(`
      create or replace temp table part_scope as
      select * from part_studied where studied < ${scope.sampled}`)
    const found = await database.columns('select studied from part_studied order by row')
    const relations = await this.#rowsOf(place)
    const part: StudiedPart = {
      relations: {
        ...relations,
        responses: `(select * from ${relations.responses} where day <= date ${quoteText(from)})`,
      },
      studied: Int32Array.from(found.studied as Float64Array),
    }
    this.#open = { place, part }
    return part
  }

  /** A part lies within one bucket of the lake. */
  async #rowsOf(place: number): Promise<BehaviourRelations> {
    const { asked, scope } = this.#request
    if (scope.parts === 1) return scope.relations
    const { bucket } = await this.#database.row<{ bucket: number }>(
      `select any_value(bucket) as bucket from studied where part = ${place}`,
    )
    const excluded = new Set(asked.predictor.parts.excluded)
    return lakeRelations(asked.lake, { buckets: [bucket], excluded })
  }

  /**
   * A table for each change that adds events: some of their kind, of those studied where they have any; else null.
   */
  async donorsOf(changes: readonly Change[]): Promise<(string | null)[]> {
    const tables: (string | null)[] = []
    for (const change of changes) {
      const isAdding = change.kind === 'events' && change.add !== null
      tables.push(isAdding ? await this.#donorsOf(change.types) : null)
    }
    return tables
  }

  async #donorsOf(types: readonly string[]): Promise<string> {
    const key = JSON.stringify(types)
    const known = this.#donors.get(key)
    if (known !== undefined) return known
    const { all, scope, date } = this.#request
    const table = `donors_${this.#donors.size}`
    const own = `(
      select *
      from ${scope.relations.events} as rows
      where customer_id in (select customer_id from studied) and day <= date ${quoteText(date)}
    )`
    for (const events of [own, all.events]) {
      await this.#database.run(
        `create or replace temp table ${table} as ${donorsOf(events, types, mostDonors)}`,
      )
      const { found } = await this.#database.row<{ found: number }>(`select count(*) as found from ${table}`)
      if (found > 0) break
    }
    this.#donors.set(key, table)
    return table
  }
}
