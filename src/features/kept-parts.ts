import type { Day } from '../domain/days.ts'
import { quoteText, quoteTexts } from '../lake/database.ts'
import type { ActiveDays } from './active-days.ts'
import { amountTables, countMeasures, isCounted, listed, type Measure } from './event-aggregates.ts'
import {
  customerMeasures,
  EventClasses,
  factMeasures,
  isOfClass,
  type Keeping,
  kindMeasures,
  worthDays,
  worthMeasures,
} from './kept-columns.ts'

/** Events as they are seen at the end of a day, to be added up. */
export interface DayEvents {
  readonly keeping: Keeping
  readonly events: string
  readonly date: Day
  readonly days: ActiveDays
  /** Tables of sums by class, and of days that {@link days} do not hold; the second null: there are none. */
  readonly byClass: string
  readonly older: string | null
}

/** SQL of days ago, 0 on the day itself. @param day SQL */
export function ageOn(date: Day, day = 'day'): string {
  return `(date ${quoteText(date)} - ${day})::integer`
}

function isUntil(date: Day): string {
  return `day <= date ${quoteText(date)}`
}

/** Sums by customer and class of event. Events of later days tell only that they are there. */
export function selectSumsByClass({ keeping, events, date, days }: DayEvents): string {
  const classes = new EventClasses(keeping)
  return `
    select *, ${days.inRow} as days
    from (
      select customer_id, class, ${listed(countMeasures)}, max("at") as last_at, ${days.columns}
      from (
        select *, ${days.bit('age')} as bit
        from (
          select customer_id, ${classes.sql} as class, "at", day, ${ageOn(date)} as age
          from ${events} as events
          where ${isUntil(date)}
        )
      )
      group by customer_id, class
    )
    union all by name
    select customer_id, ${classes.sql} as class, min(day) as later_day
    from ${events} as events
    where not ${isUntil(date)}
    group by all`
}

/** Days before those that have a bit. */
export function selectOlderDays({ keeping, events, date, days }: DayEvents): string {
  return `
    select distinct customer_id, ${new EventClasses(keeping).sql} as class, day
    from ${events} as events
    where ${isUntil(date)} and ${ageOn(date)} >= ${days.span}`
}

/** What is kept by customer and kind of event: table → select. */
export function selectKinds(seen: DayEvents): Record<string, string> {
  const { keeping, events, date } = seen
  const { catalogue } = keeping
  const measures = kindMeasures(catalogue)
  const amounts = amountTables({
    ...{ catalogue, subject: 'customer_id', age: ageOn(date) },
    from: `${events} as events where ${isUntil(date)} and ${isCounted(catalogue)}`,
  })
  return Object.fromEntries(
    Object.entries({ events_by_type: selectCounts(seen), ...amounts }).map(([name, select]) => [
      name,
      `select customer_id, kind, ${settled(measures[name])} from (${select})`,
    ]),
  )
}

/** A class of its own is a kind as it is; the others are put together. */
function selectCounts({ keeping, days, byClass, older }: DayEvents): string {
  const classes = new EventClasses(keeping)
  const names = countMeasures.map(({ name }) => name).join(', ')
  const pooled = isOfClass(classes.pooled)
  const olderBy = (kind: string, own: string) => `
    left join (
      select customer_id, ${kind} as kind, count(distinct day) as older
      from ${older}
      where ${own}
      group by all
    ) using (customer_id, kind)`
  const part = (counts: string, kind: string, own: string) =>
    older === null
      ? counts
      : `select * replace (days_all + coalesce(older, 0) as days_all) from (${counts}) ${olderBy(kind, own)}`
  const own = isOfClass(classes.kinds)
  return `
    ${part(`select customer_id, class as kind, ${names}, days as days_all from ${byClass} where count_all > 0 and ${own}`, 'class', own)}
    union all by name
    ${part(
      `
      select customer_id, 0::usmallint as kind, ${countMeasures.map(together).join(', ')}, ${days.inAny('true')} as days_all
      from ${byClass}
      where count_all > 0 and ${pooled}
      group by customer_id`,
      '0::usmallint',
      pooled,
    )}`
}

/** The counts of several classes in one. */
function together({ name, joins }: Measure): string {
  return `${joins === 'count' ? 'sum' : joins}(${name}) as ${name}`
}

/** What is kept by customer. */
export function selectCustomers(seen: DayEvents): string {
  const { keeping, days, byClass, older } = seen
  const counted = isOfClass(new EventClasses(keeping).counted)
  const worth = selectWorth(seen)
  return `
    select customer_id, ${settled(customerMeasures(keeping))}
    from (
      select
        customer_id,
        ${listed(factMeasures(keeping))},
        ${days.inAny(counted, 30)} as days_30,
        ${days.inAny(counted, 90)} as days_90,
        ${days.inAny(counted)} ${older === null ? '' : '+ coalesce(any_value(older), 0)'} as days_all
      from ${byClass}
      ${older === null ? '' : `left join (select customer_id, count(distinct day) as older from ${older} where ${counted} group by customer_id) using (customer_id)`}
      group by customer_id
    )
    ${worth === null ? '' : `left join (${worth}) using (customer_id)`}`
}

function selectWorth({ keeping: { program }, events, date }: DayEvents): string | null {
  const { annualValue } = program.value
  const days = worthDays(program.value)
  if (days === null || annualValue === null || !('sumOf' in annualValue)) return null
  return `
    select customer_id, ${listed(worthMeasures(program))}
    from ${events} as events
    where ${isUntil(date)} and ${ageOn(date)} < ${days} and type in ${quoteTexts(annualValue.sumOf)}
    group by customer_id`
}

/** Sums of nothing are 0, whichever way they came about; counts are whole numbers of one size. */
function settled(measures: readonly Measure[]): string {
  return measures
    .map(({ name, joins }) => {
      if (joins !== 'sum' && joins !== 'count') return name
      return `coalesce(${name}, 0)${joins === 'count' ? '::bigint' : ''} as ${name}`
    })
    .join(', ')
}
