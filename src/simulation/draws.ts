import type { Day } from '../domain/days.ts'
import type { BehaviourTable } from '../features/catalogue.ts'
import { type BehaviourRelations, type FeatureFrame, pickFrame, readFeatures } from '../features/features.ts'
import { type Database, quoteText, quoteTexts } from '../lake/database.ts'
import { type EditContext, editRelations } from './edits.ts'
import type { Asked } from './question.ts'
import type { Edit } from './scenario.ts'

export interface DrawRequest {
  readonly asked: Asked
  readonly edit: Edit
  /** Rows of the customers of `part_studied`, of whom those of `part_scope` are asked about. */
  readonly relations: BehaviourRelations
  /** A table for each change that adds events; null for others. */
  readonly donors: readonly (string | null)[]
  /** Features of `part_studied` as they are. */
  readonly asItIs: FeatureFrame
  readonly from: Day
  readonly date: Day
  readonly seed: number
  /** Numbers of the draws. */
  readonly draws: readonly number[]
  /** Only each so manieth of those studied is looked at. */
  readonly every: number
}

/** Customers whose behaviour changed in some draws, each draw's after the other. **Shape** arrays are [rows]. */
export interface Drawn {
  /** Which of the draws: its place in the request. */
  readonly draw: Int32Array
  /** Which customer: row of the part. */
  readonly customer: Int32Array
  readonly frame: FeatureFrame
  /** Contacts not made in each draw, all customers together. [draws] */
  readonly contactsAvoided: readonly number[]
}

/** Draws a scenario's random choices some times and reads the features of everybody whose rows then differ. */
export async function drawScenario(database: Database, request: DrawRequest): Promise<Drawn> {
  await database.run(
    'create or replace temp table drawn (draw integer, customer integer, customer_id varchar, own_id varchar, cutoff date, joined date)',
  )
  const rows =
    request.draws.length === 1 ? await drawOne(database, request) : await drawSome(database, request)
  await database.run(`
    create or replace temp table drawn_spine as
    select (row_number() over (order by draw, customer) - 1)::integer as row, *
    from drawn`)
  const found = await database.columns('select draw, customer from drawn_spine order by row')
  const customer = Int32Array.from(found.customer as Float64Array)
  return {
    draw: Int32Array.from(found.draw as Float64Array),
    customer,
    frame: await readDrawn(database, request, { customer, rows }),
    contactsAvoided: await countAvoided(database, request, rows),
  }
}

/** Where the rows of those drawn are. */
type DrawnRows = Pick<BehaviourRelations, 'events' | 'customers'>

/** A single draw needs no copies: its rows are read as they are edited. */
async function drawOne(database: Database, request: DrawRequest): Promise<DrawnRows> {
  const edited = editedIn(request, request.draws[0])
  await database.run(`insert into drawn ${touchedIn(request, { edited, place: 0, name: 'customer_id' })}`)
  return edited
}

/** Several draws are read at once: a customer goes by another name in each of them. */
async function drawSome(database: Database, request: DrawRequest): Promise<DrawnRows> {
  const { edit, relations, draws } = request
  const drawn = { events: 'drawn_events', customers: 'drawn_customers' }
  for (const table of ['events', 'customers'] as const)
    await database.run(
      `create or replace temp table ${drawn[table]} as select * from ${relations[table]} where false`,
    )
  for (const [place, replication] of draws.entries()) {
    const edited = editedIn(request, replication)
    const name = `'${place} ' || customer_id`
    await database.run(`insert into drawn ${touchedIn(request, { edited, place, name })}`)
    for (const table of editedTables(edit))
      await database.run(`insert into ${drawn[table]} ${renamed(edited[table], place)}`)
  }
  return drawn
}

function editedIn({ asked, edit, relations, donors, from, date, seed }: DrawRequest, replication: number) {
  const context: EditContext = {
    ...{ scope: 'part_scope', from, date, seed, replication },
    timezone: asked.program.timezone,
    reach: edit.reach,
  }
  return editRelations(relations, edit.changes, { context, donors })
}

/** Customers who differ in a draw. @param name SQL: what they go by in it. */
function touchedIn(
  { every }: DrawRequest,
  { edited, place, name }: { edited: { touched: string }; place: number; name: string },
): string {
  return `
    select ${place}, row, ${name}, customer_id, cutoff, joined
    from part_scope
    where studied % ${every} = 0 and customer_id in (${edited.touched})`
}

/** Features of everybody drawn. Those that no change can move are as they are. */
async function readDrawn(
  database: Database,
  { asked, edit, relations, asItIs }: DrawRequest,
  { customer, rows }: { customer: Int32Array; rows: DrawnRows },
): Promise<FeatureFrame> {
  const { program, lake, predictor } = asked
  const edited: ReadonlySet<BehaviourTable | null> = editedTables(edit)
  const read = await readFeatures(database, {
    ...{ program, lake, catalogue: predictor.catalogue, spine: 'drawn_spine' },
    relations: { ...relations, ...rows },
    isWanted: (_, reads) => edited.has(reads),
    eventTypes: new Set(edit.changes.flatMap((change) => (change.kind === 'events' ? change.types : []))),
  })
  const places = new Map(read.features.map(({ name }, index) => [name, index]))
  const before = pickFrame(asItIs, customer)
  const columns = before.columns.map((column, index) => {
    const place = places.get(before.features[index].name)
    return place === undefined ? column : read.columns[place]
  })
  return { ...before, columns }
}

/** The tables whose rows the changes edit. */
export function editedTables({ changes }: Pick<Edit, 'changes'>): Set<'events' | 'customers'> {
  return new Set(changes.map(({ kind }) => (kind === 'attribute' ? 'customers' : 'events')))
}

/** Whether a scenario's edits are left to no chance: then all of its draws are the same. */
export function isCertain({ changes, reach }: Edit): boolean {
  if (reach > 0 && reach < 1) return false
  return changes.every((change) => {
    if (change.kind !== 'events') return true
    const { remove, add } = change
    return (add === null || add === 0) && (remove === null || remove === 0 || remove === 1)
  })
}

/** Rows of the customers who differ in a draw, under their names in it. */
function renamed(relation: string, place: number): string {
  return `
    select rows.* replace ('${place} ' || rows.customer_id as customer_id)
    from ${relation} as rows
    where rows.customer_id in (select own_id from drawn where draw = ${place})`
}

/** Contacts as they are less contacts as they would be, while the changes are in force. */
async function countAvoided(
  database: Database,
  { asked, edit, relations, from, date, draws }: DrawRequest,
  rows: DrawnRows,
): Promise<number[]> {
  if (!editedTables(edit).has('events')) return draws.map(() => 0)
  const { contact } = asked.program.meaning
  const isContact = `type in ${quoteTexts(contact)} and day > date ${quoteText(from)} and day <= date ${quoteText(date)}`
  const found = await database.rows<{ draw: number; contacts: number }>(`
    select draw, sum(contacts) as contacts
    from (
      select draw, count(*) as contacts
      from ${relations.events} as events
      join drawn on drawn.own_id = events.customer_id
      where ${isContact}
      group by draw
      union all
      select draw, -count(*) as contacts
      from ${rows.events} as events
      join drawn using (customer_id)
      where ${isContact}
      group by draw
    )
    group by draw`)
  const avoided = new Map(found.map(({ draw, contacts }) => [draw, contacts]))
  return draws.map((_, place) => avoided.get(place) ?? 0)
}
