import type { Day } from '../domain/days.ts'
import type { BehaviourTable } from '../features/catalogue.ts'
import { type BehaviourRelations, lakeRelations } from '../features/relations.ts'
import { type Database, quoteText } from '../lake/database.ts'
import { copyRows } from './copied-rows.ts'
import { donorsOf } from './edits.ts'
import type { Asked } from './question.ts'
import type { Scenario } from './scenario.ts'
import type { Scope } from './scope.ts'

/** Events that added ones are modelled on. */
const mostDonors = 2000

export interface StudiedRequest {
  readonly asked: Asked
  readonly scenario: Scenario
  readonly scope: Scope
  readonly from: Day
  readonly date: Day
}

/** A part of those studied, with the rows of some tables. */
export interface StudiedPart {
  /** Its rows; answers given while the changes are in force are left out. */
  readonly relations: BehaviourRelations
  /** Row in `studied` of each row of the part: the population's first, then others. */
  readonly studied: Int32Array
}

interface OpenPart {
  readonly place: number
  readonly tables: ReadonlySet<BehaviourTable>
  readonly part: StudiedPart
}

/**
 * The customers of the table `studied`, part by part: the part that is open is in the tables `part_studied` and
 * `part_scope` (row, customer_id, cutoff, joined), numbered alike, the latter without the others to compare with.
 */
export class StudiedRows {
  readonly #database: Database
  readonly #request: StudiedRequest
  #open: OpenPart | null = null

  constructor(database: Database, request: StudiedRequest) {
    this.#database = database
    this.#request = request
  }

  /** Opens a part in place of the one that is open. @param tables whose rows will be read */
  async open(place: number, tables: ReadonlySet<BehaviourTable>): Promise<StudiedPart> {
    const known = this.#open
    if (known?.place === place && [...tables].every((table) => known.tables.has(table))) return known.part
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
      select row, customer_id, cutoff, joined from part_studied where studied < ${scope.sampled}`)
    const found = await database.columns('select studied from part_studied order by row')
    const relations = await this.#rowsOf(place, tables)
    const part: StudiedPart = {
      relations: {
        ...relations,
        responses: `(select * from ${relations.responses} where day <= date ${quoteText(from)})`,
      },
      studied: Int32Array.from(found.studied as Float64Array),
    }
    this.#open = { place, tables, part }
    return part
  }

  async #rowsOf(place: number, tables: ReadonlySet<BehaviourTable>): Promise<BehaviourRelations> {
    const { asked, scope, date } = this.#request
    if (scope.parts === 1) return scope.relations
    const { bucket } = await this.#database.row<{ bucket: number }>(
      `select any_value(bucket) as bucket from studied where part = ${place}`,
    )
    const excluded = new Set(asked.predictor.parts.excluded)
    const rows = lakeRelations(asked.lake, { buckets: [bucket], excluded })
    return copyRows(this.#database, rows, { customers: 'part_studied', date, tables })
  }
}

/** A table for each change that adds events: some of their kind, of those studied where they have any; else null. */
export async function copyDonors(
  database: Database,
  all: BehaviourRelations,
  { scenario: { changes }, scope, date }: StudiedRequest,
): Promise<(string | null)[]> {
  const own = `(
    select *
    from ${scope.relations.events} as rows
    where customer_id in (select customer_id from studied) and day <= date ${quoteText(date)}
  )`
  const tables: (string | null)[] = []
  for (const [place, change] of changes.entries()) {
    const isAdding = change.kind === 'events' && change.add !== null
    tables.push(isAdding ? `donors_${place}` : null)
    if (!isAdding) continue
    for (const events of [own, all.events]) {
      await database.run(
        `create or replace temp table donors_${place} as ${donorsOf(events, change, mostDonors)}`,
      )
      const { found } = await database.row<{ found: number }>(`select count(*) as found from donors_${place}`)
      if (found > 0) break
    }
  }
  return tables
}
