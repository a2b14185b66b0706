import type { Catalogue, FeatureColumn, FeatureGroup } from './catalogue.ts'
import { isCovered } from './data-begins.ts'
import { ageSql, gapSql } from './event-features.ts'
import { dayMeasures } from './kept-columns.ts'
import type { KeptEvents } from './kept-events.ts'

/** Features over all event types together, from the tables of their own features. */
export function activityGroup(catalogue: Catalogue, kept?: KeptEvents): FeatureGroup {
  if (catalogue.eventsBeginOn === null) return { reads: 'events', tables: {}, parts: [] }
  return {
    reads: 'events',
    tables: {},
    parts: [
      {
        join: kept
          ? { alias: 'activity', relation: `(${keptActivity(kept)})`, by: 'customer_id' }
          : { alias: 'activity', relation: 'activity_by_row' },
        columns: activityColumns(catalogue.eventsBeginOn),
      },
    ],
  }
}

function keptActivity({ customers, kinds }: KeptEvents): string {
  return `
    select *
    from (
      select customer_id, ${dayMeasures.map(({ name }) => name).join(', ')}, count_30, count_before_30, first_day, last_day
      from ${customers}
    )
    left join (
      select customer_id, count(*) as types_90
      from ${kinds.events_by_type}
      where count_90 > 0
      group by customer_id
    ) using (customer_id)`
}

function activityColumns(begin: string): FeatureColumn[] {
  const column = (
    name: string,
    unit: string,
    { words, windowDays = null, sql }: { words: string; windowDays?: number | null; sql: string },
  ): FeatureColumn => ({
    feature: { name: `activity_${name}`, kind: 'number', unit, words, windowDays, origin: 'activity' },
    sql: windowDays === null ? sql : `case when ${isCovered(begin, windowDays)} then ${sql} end`,
  })
  return [
    column('days_30', 'days', {
      words: 'days with any activity in the last 30',
      windowDays: 30,
      sql: 'coalesce(activity.days_30, 0)',
    }),
    column('days_90', 'days', {
      words: 'days with any activity in the last 90',
      windowDays: 90,
      sql: 'coalesce(activity.days_90, 0)',
    }),
    column('types_90', 'types', {
      words: 'kinds of activity in the last 90 days, pooled ones as one',
      windowDays: 90,
      sql: 'coalesce(activity.types_90, 0)',
    }),
    column('days_since', 'days', { words: 'days since any activity', sql: ageSql('activity.last_day') }),
    column('gap', 'days', { words: 'typical days between two active days', sql: gapSql('activity') }),
    column('overdue', 'gaps', {
      words: 'how overdue any activity is, in typical gaps',
      sql: `${ageSql('activity.last_day')} / nullif(${gapSql('activity')}, 0)`,
    }),
    column('trend', 'log ratio', {
      words: 'all activity: last 30 days against the 30 before',
      windowDays: 60,
      sql: 'ln((coalesce(activity.count_30, 0) + 0.5) / (coalesce(activity.count_before_30, 0) + 0.5))',
    }),
  ]
}
