import type { Day } from '../domain/days.ts'
import { tableShapes } from '../domain/tables.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { quoteName, quoteText, quoteTexts } from '../lake/database.ts'
import type { AttributeEdit, Change, EventEdit } from './scenario.ts'

/** Everything that the edited rows depend on. */
export interface EditContext {
  /** Relation of (customer_id, cutoff, joined): the population. */
  readonly scope: string
  /** Edits apply to events after the end of this day, up to `date`. */
  readonly from: Day
  readonly date: Day
  readonly timezone: string
  /** Share of the population that the changes reach. */
  readonly reach: number
  readonly seed: number
  /** Which draw of the random choices this is. */
  readonly replication: number
}

/** Rows as they would have been. */
export interface EditedRelations {
  readonly events: string
  readonly customers: string
  /** Select of (customer_id): everybody whose rows differ; the others are as before. */
  readonly touched: string
}

/**
 * The events and attributes of a population had the changes been in force. Which events go and who is reached is drawn
 * by hash of their names, so that a larger share takes away the same events and more.
 *
 * @param relations those as they are, of the population alone. @param donors one relation a change: see {@link donorsOf}.
 */
export function editRelations(
  relations: Pick<BehaviourRelations, 'events' | 'customers'>,
  changes: readonly Change[],
  { context, donors }: { context: EditContext; donors: readonly (string | null)[] },
): EditedRelations {
  let { events, customers } = relations
  const touched: string[] = []
  for (const [place, change] of changes.entries()) {
    if (change.kind === 'initiative') continue
    if (change.kind === 'attribute') {
      touched.push(`select customer_id from ${context.scope} where ${isReached(context)}`)
      customers = setAttribute(customers, change, context)
      continue
    }
    const edited = editEvents(events, change, { context, place, donors: donors[place] })
    touched.push(edited.touched)
    events = edited.events
  }
  const nobody = 'select null::varchar as customer_id where false'
  return { events, customers, touched: touched.join('\nunion\n') || nobody }
}

interface EventEditing {
  readonly context: EditContext
  readonly place: number
  readonly donors: string | null
}

function editEvents(
  events: string,
  change: EventEdit,
  editing: EventEditing,
): { events: string; touched: string } {
  const { context, place } = editing
  const met = `type in ${quoteTexts(change.types)} and day > ${dayOf(context.from)} and day <= ${dayOf(context.date)}`
  if (change.remove !== null) {
    // A case computes hashes only of the events that are met, a conjunction those of all.
    const isGone = `case when ${met} then ${isReached(context)} and ${uniform(context, [place, 'remove'], 'row_id')} < ${change.remove} else false end`
    return {
      events: `(select * from ${events} as kept where not ${isGone})`,
      touched: `select customer_id from ${events} as gone where ${isGone}`,
    }
  }
  if (change.add !== null) {
    const added = addedEvents(change.add, editing)
    return {
      events: `(select * from ${events} as kept union all by name ${added})`,
      touched: `select customer_id from (${added})`,
    }
  }
  const { property, scale, shift, cap } = change.amount as NonNullable<EventEdit['amount']>
  const column = quoteName(property === null ? 'value' : tableShapes.events.extraPrefix + property)
  const moved = `${column} * ${scale ?? 1} + ${shift ?? 0}`
  const changed = cap === null ? moved : `least(${moved}, ${cap})`
  const isMoved = `case when ${met} then ${isReached(context)} and ${changed} is distinct from ${column} else false end`
  return {
    events: `(select * replace (case when ${isMoved} then ${changed} else ${column} end as ${column}) from ${events} as moved)`,
    touched: `select customer_id from ${events} as moved where ${isMoved}`,
  }
}

/** Events like those of the donors, on random days in force since joining, at noon. */
function addedEvents(add: number, { context, place, donors }: EventEditing): string {
  const { scope, from, date, timezone } = context
  const draw = (what: string) => uniform(context, [place, what], "customer_id || ' ' || number")
  const most = Math.ceil(add)
  return `
    select
      donors.* exclude (place) replace (
        added.customer_id as customer_id,
        added.day as day,
        (added.day::timestamp + interval 12 hour) at time zone ${quoteText(timezone)} as "at",
        added.row_id as row_id,
        null::varchar as event_id
      )
    from (
      select
        customer_id,
        (first + floor(${draw('day')} * (${dayOf(date)} - first + 1))::integer)::date as day,
        floor(${draw('donor')} * (select count(*) from ${donors}))::bigint as donor,
        md5_number_upper(concat_ws(' ', customer_id, number, ${place}, ${context.replication}, ${context.seed})) as row_id
      from (
        select customer_id, number, greatest(${dayOf(from)} + 1, joined) as first
        from ${scope}, (select unnest(range(1, ${most + 1})) as number)
        where ${isReached(context)}
      )
      where number <= ${Math.floor(add)} or ${draw('add')} < ${add - Math.floor(add)}
    ) as added
    join ${donors} as donors on donors.place = added.donor`
}

/** Events of some types, numbered from 0: what is added is like one of them. */
export function donorsOf(events: string, types: readonly string[], most: number): string {
  return `
    select *, row_number() over (order by md5_number_upper(row_id::varchar), row_id) - 1 as place
    from ${events}
    where type in ${quoteTexts(types)}
    qualify place < ${most}`
}

function setAttribute(customers: string, { attribute, value }: AttributeEdit, context: EditContext): string {
  const column = quoteName(
    attribute === 'annual_value' ? attribute : tableShapes.customers.extraPrefix + attribute,
  )
  // A text literal takes the type of the column beside it.
  const literal = quoteText(String(value))
  const isMeant = `customer_id in (select customer_id from ${context.scope}) and ${isReached(context)}`
  return `(select * replace (case when ${isMeant} then ${literal} else ${column} end as ${column}) from ${customers} as people)`
}

function isReached(context: EditContext): string {
  return context.reach >= 1 ? 'true' : `${uniform(context, ['reach'], 'customer_id')} < ${context.reach}`
}

/** A number from 0 to 1, always the same for the same names. */
function uniform(
  { seed, replication }: EditContext,
  names: readonly (string | number)[],
  own: string,
): string {
  const salt = quoteText([...names, replication, seed].join(' '))
  return `((md5_number_upper(${salt} || ' ' || ${own}) >> 11)::double / 9007199254740992)`
}

function dayOf(day: Day): string {
  return `date ${quoteText(day)}`
}
