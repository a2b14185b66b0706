import type { TableName } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import { canonicalNames, keyOf, ownIdentity } from './canonical.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { extraColumns, type Lake, readTable } from './lake.ts'

export interface FreshOptions {
  readonly table: TableName
  /** Key of the source: rows are compared with its own earlier ones. */
  readonly source: string
  /** The lake before this reading, less what it replaces. */
  readonly lake: Lake
  /** Number of the commit that will name the rows. */
  readonly sequence: number
  /** The clock, ISO 8601. */
  readonly now: string
  /** Properties or attributes of this reading. */
  readonly columns: readonly string[]
  /** Properties or attributes that make a row's identity. */
  readonly identity: readonly string[]
  /** Whether only files are read that were not there before, beside others: then an equal row is one more. */
  readonly isAddition?: boolean
}

/**
 * The rows of `staged` that the lake does not have yet, as the view or table `fresh`.
 *
 * A row is known by its own id, else by all its columns and how many equal rows there are: genuine repeats stay, a file
 * read again adds nothing, and one that came to hold an equal row more adds exactly that one.
 */
export async function selectFresh(database: Database, options: FreshOptions): Promise<void> {
  await database.run('drop view if exists fresh')
  await database.run('drop table if exists fresh_customers')
  if (options.table === 'customers') await selectFreshCustomers(database, options)
  else await selectFreshRows(database, options)
}

async function selectFreshRows(database: Database, options: FreshOptions): Promise<void> {
  const { table, columns, isAddition = false } = options
  const ownId = quoteName(ownIdentity[table] as string)
  await database.run(`
    create or replace table known as
    select key, count(*) as copies
    from (select ${earlierKey(options)} as key from ${earlierRows(options)} ${await sameTimes(database, ownId)})
    semi join staged using (key)
    group by key`)
  await findRepeats(database)
  if (isAddition)
    await database.run(`
      insert into repeats
      select key from (select key from known semi join (from staged where ${ownId} is null) using (key))
      anti join repeats using (key)`)
  const { repeats, known } = await database.row<{ repeats: number; known: number }>(
    'select (select count(*) from repeats) as repeats, (select count(*) from known) as known',
  )
  const names = [...canonicalNames(table), ...columns.map((name) => tableShapes[table].extraPrefix + name)]
  const picked = names.map(quoteName).join(', ')
  const once = `
    select ${picked}, key as row_id
    from staged
    ${repeats > 0 ? 'anti join repeats using (key)' : ''}
    ${known > 0 ? 'anti join known using (key)' : ''}
    where reason is null`
  // Read again, the first of equal rows are those that the lake has; of rows that are read for the first time none is.
  const place = `row_number() over (partition by key order by staged.rowid)`
  const occurrence = isAddition
    ? `${place} + case when ${ownId} is null then coalesce(copies, 0) else 0 end`
    : place
  const isNew = isAddition
    ? `(${ownId} is null or copies is null and occurrence = 1)`
    : `occurrence > coalesce(copies, 0) and (${ownId} is null or occurrence = 1)`
  const repeated = `
    select ${picked}, case when occurrence = 1 then key else hash(key, occurrence) end as row_id
    from (
      select *, ${occurrence} as occurrence
      from staged
      semi join repeats using (key)
      left join known using (key)
      where reason is null
    )
    where ${isNew}`
  await database.run(`create view fresh as ${repeats > 0 ? `${once} union all ${repeated}` : once}`)
}

/** Keys that are told apart at once: a table of more takes longer for each, and much memory. */
const keysAtOnce = 1_000_000
const mostRounds = 16

/** Keys of several rows, as the table `repeats`: some of the keys at a time, since there are nearly as many as rows. */
async function findRepeats(database: Database): Promise<void> {
  const { rows } = await database.row<{ rows: number }>('select count(*) as rows from staged')
  const rounds = Math.max(1, Math.min(mostRounds, Math.ceil(rows / keysAtOnce)))
  await database.run('create or replace table repeats (key ubigint)')
  for (let round = 0; round < rounds; round++)
    await database.run(`
      insert into repeats
      select key
      from staged
      where reason is null and key % ${rounds} = ${round}
      group by key
      having count(*) > 1`)
}

/** Rows without an id of their own are equal only at equal times: most earlier ones need not be looked at. */
async function sameTimes(database: Database, ownId: string): Promise<string> {
  const { first, last, ids } = await database.row<Record<'first' | 'last' | 'ids', number | null>>(
    `select epoch_us(min("at"))::double as first, epoch_us(max("at"))::double as last, count(${ownId}) as ids from staged where reason is null`,
  )
  if (first === null || last === null || Number(ids) > 0) return ''
  return `where "at" between make_timestamptz(${BigInt(first)}::bigint) and make_timestamptz(${BigInt(last)}::bigint)`
}

function earlierRows({ lake, table, source }: FreshOptions): string {
  return readTable(lake, table, { prefix: tableShapes[table].extraPrefix, source })
}

function earlierKey({ lake, table, identity }: FreshOptions): string {
  const known = extraColumns(lake.state, table)
  return keyOf(table, identity, new Set(identity.filter((name) => !known.has(name))))
}

/**
 * Customers keep their history. A row with `valid_from` counts from then on. Without it the first row counts from
 * joining; a row that changed in a later reading counts from that reading, and one with a later `joined_at` from there.
 */
async function selectFreshCustomers(database: Database, options: FreshOptions): Promise<void> {
  const { columns, sequence, now } = options
  await refuseSecondRows(database)
  const canonical = canonicalNames('customers').filter((name) => name !== 'valid_from')
  const picked = [...canonical, ...columns.map((name) => tableShapes.customers.extraPrefix + name)]
    .map((name) => `candidates.${quoteName(name)}`)
    .join(', ')
  await database.run(`
    create table fresh_customers as
    with earlier as (
      select customer_id, joined_at, valid_from, undated, ordinal, ${earlierKey(options)} as key
      from (select * replace (case when not undated then valid_from end as valid_from) from ${earlierRows(options)})
    ),
    undated_states as (
      select customer_id, joined_at, arg_max(key, ordinal) as key
      from earlier
      where undated
      group by customer_id, joined_at
    ),
    joinings as (
      select customer_id, max(joined_at) as joined_at
      from earlier
      where undated
      group by customer_id
    ),
    dated_states as (
      select customer_id, valid_from, arg_max(key, ordinal) as key
      from earlier
      where not undated
      group by customer_id, valid_from
    ),
    candidates as (
      select
        *,
        rowid as place,
        valid_from is null as undated,
        row_number() over (partition by customer_id, valid_from is null order by joined_at nulls first, rowid) = 1 as is_first,
        row_number() over (partition by customer_id, valid_from order by rowid desc) = 1 as is_last_word
      from staged
      where reason is null
      qualify row_number() over (partition by key order by rowid desc) = 1
    )
    select
      ${picked},
      case
        when not undated then candidates.valid_from
        when undated_states.key is not null then timestamptz ${quoteText(now)}
        when joinings.customer_id is not null and candidates.joined_at > joinings.joined_at then candidates.joined_at
        when joinings.customer_id is not null then timestamptz ${quoteText(now)}
        when not is_first then candidates.joined_at
      end as valid_from,
      undated,
      ${sequence}::bigint * 4294967296 + place as ordinal,
      candidates.key as row_id
    from candidates
    left join undated_states
      on undated
      and undated_states.customer_id = candidates.customer_id
      and undated_states.joined_at is not distinct from candidates.joined_at
    left join joinings on undated and joinings.customer_id = candidates.customer_id
    left join dated_states
      on not undated
      and dated_states.customer_id = candidates.customer_id
      and dated_states.valid_from = candidates.valid_from
    where case
      when undated then undated_states.key is distinct from candidates.key
      when candidates.key in (select key from earlier) then is_last_word and dated_states.key <> candidates.key
      else true
    end`)
  await database.run('create view fresh as select * from fresh_customers')
}

/** Of several undated rows of a customer in one reading the first counts; others that differ contradict it. */
async function refuseSecondRows(database: Database): Promise<void> {
  await database.run(`
    create or replace table second_rows as
    select rowid as place
    from staged
    where reason is null and valid_from is null
    qualify key <> first_value(key) over (partition by customer_id, joined_at order by rowid)`)
  await database.run(`
    update staged set
      reason = 'second_undated_row',
      raw_row = to_json(staged)::varchar
    where rowid in (select place from second_rows)`)
}
