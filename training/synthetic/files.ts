import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Day } from '../../src/domain/days.ts'
import { type Database, quoteText } from '../../src/lake/database.ts'
import { channels, contracts, plans, regions, topics } from './laws.ts'
import { eventTypes, initiatives, metricNames } from './records.ts'
import { effectColumns, effectTable, truthColumns } from './truth.ts'

/** Where a table's rows go, and from when its seconds count. */
export interface FileOptions {
  readonly folder: string
  /** Day 0. */
  readonly firstDay: Day
}

const numbered = (part: number) => `part-${String(part).padStart(5, '0')}.parquet`

/** The name with a code, from a list of names. */
function named(names: readonly string[], code: string): string {
  return `([${names.map(quoteText).join(', ')}])[${code}::integer + 1]`
}

const customerId = "format('C{:07d}', customer + 1) as customer_id"

function instant(firstDay: Day, second: string): string {
  return `make_timestamp(epoch_us(timestamp ${quoteText(firstDay)}) + ${second}::bigint * 1000000)`
}

/** The amount of a type of event as a column of its own. */
function amountOf(type: (typeof eventTypes)[number], column: string): string {
  return `case when type = ${eventTypes.indexOf(type)} then amount end as ${column}`
}

/** Writes what a select gives to a file. */
function writeParquet(database: Database, select: string, file: string): Promise<void> {
  return database.run(`copy (${select}) to ${quoteText(file)} (format parquet, compression zstd)`)
}

/** Writes the events so far as one part and empties the table. */
export async function writeEvents(
  database: Database,
  part: number,
  { folder, firstDay }: FileOptions,
): Promise<void> {
  await writeParquet(
    database,
    `
      select
        ${customerId},
        ${instant(firstDay, 'second')} as "at",
        ${named(eventTypes, 'type')} as type,
        case when not isnan(value) then value end as value,
        ${amountOf('login', 'minutes')},
        ${amountOf('delivery', 'delay_days')},
        case when not isnan(topic) then ${named(topics, 'case when not isnan(topic) then topic end')} end as topic,
        ${amountOf('ticket', 'resolution_hours')},
        ${amountOf('outage', 'outage_hours')}
      from events`,
    join(folder, 'events', numbered(part)),
  )
  await database.run('truncate events')
}

/** Writes the responses so far as one part and empties the table. */
export async function writeResponses(
  database: Database,
  part: number,
  { folder, firstDay }: FileOptions,
): Promise<void> {
  await writeParquet(
    database,
    `
      select
        ${customerId},
        ${instant(firstDay, 'second')} as "at",
        ${named(metricNames, 'metric')} as metric,
        score,
        comment,
        case when metric > 0 then 'support' end as touchpoint,
        ${named(['email', 'app', 'phone'], 'channel')} as channel
      from responses`,
    join(folder, 'responses', numbered(part)),
  )
  await database.run('truncate responses')
}

/** Writes all attribute rows. */
export async function writeCustomers(database: Database, { folder, firstDay }: FileOptions): Promise<void> {
  await writeParquet(
    database,
    `
      select
        ${customerId},
        ${instant(firstDay, 'second')} as valid_from,
        ${instant(firstDay, 'joined')} as joined_at,
        format('A{:07d}', account + 1) as account_id,
        12 * price as annual_value,
        ${named(regions, 'region')} as region,
        ${named(channels, 'channel')} as acquired_by,
        ${named(contracts, 'contract')} as contract,
        ${named(plans, 'plan')} as plan
      from customers`,
    join(folder, 'customers.parquet'),
  )
}

/** Writes all assignments. */
export async function writeInterventions(
  database: Database,
  { folder, firstDay }: FileOptions,
): Promise<void> {
  await writeParquet(
    database,
    `
      select
        ${customerId},
        ${instant(firstDay, 'second')} as "at",
        ${named(initiatives, 'initiative')} as initiative,
        ${named(['control', 'treated'], 'arm')} as arm,
        cost
      from interventions`,
    join(folder, 'interventions.parquet'),
  )
}

/** Writes what is true at the end of a day, a row for everybody at risk. */
export async function writeTruth(
  database: Database,
  { table, file }: { table: string; file: string },
): Promise<void> {
  await writeParquet(
    database,
    `select ${customerId}, ${truthColumns.join(', ')} from ${table} order by customer`,
    file,
  )
}

/** Writes what initiatives truly do to each customer whom they are told of, as differences of probabilities. */
export async function writeTrueEffects(database: Database, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeParquet(
    database,
    `
      select ${customerId}, ${named(initiatives, 'initiative')} as initiative, ${effectColumns.join(', ')}
      from ${effectTable}
      order by customer, ${effectTable}.initiative`,
    join(folder, 'by-customer.parquet'),
  )
}

/** Mean truths over everybody at risk: group NPS now and ahead, and the share of each outcome. */
export async function summariseTruth(
  database: Database,
  table: string,
): Promise<Readonly<Record<string, number>>> {
  const later = [30, 60, 90].map(
    (days) =>
      `100 * sum(stays_${days} * (p_promoter_${days} - p_detractor_${days})) / sum(stays_${days}) as nps_${days}`,
  )
  const shares = truthColumns.filter((name) => /^(churn|upsell|advocacy)_/.test(name))
  return database.row(`
    select
      count(*) as customers,
      100 * avg(p_promoter - p_detractor) as nps,
      ${[...later, ...shares.map((name) => `avg(${name}) as ${name}`)].join(', ')}
    from ${table}`)
}
