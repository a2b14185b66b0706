import type { Catalogue, FeatureColumn } from './catalogue.ts'

/** Activity of any type by spine row: which days were active. */
export function activityAggregates({ events, spine }: { events: string; spine: string }): string {
  return `
    select
      row,
      count(*) filter (where day > cutoff - 30) as count_30,
      count(*) filter (where day > cutoff - 60 and day <= cutoff - 30) as count_before_30,
      count(distinct day) filter (where day > cutoff - 30) as days_30,
      count(distinct day) filter (where day > cutoff - 90) as days_90,
      count(distinct day) as days_all,
      count(distinct type) filter (where day > cutoff - 90) as types_90,
      min(day) as first_day,
      max(day) as last_day
    from ${spine} as spine
    join ${events} as events
      using (customer_id)
    where day <= cutoff
    group by row`
}

/** Features over all event types together, as expressions over {@link activityAggregates}. */
export function activityColumns(catalogue: Catalogue): FeatureColumn[] {
  if (catalogue.eventsBeginOn === null) return []
  const known = (days: number, sql: string) =>
    `case when spine.cutoff - ${days - 1} >= date '${catalogue.eventsBeginOn}' then ${sql} end`
  const feature = (name: string, unit: string, more: { words: string; windowDays?: number }) =>
    ({
      name: `activity_${name}`,
      kind: 'number',
      unit,
      words: more.words,
      windowDays: more.windowDays ?? null,
      origin: 'activity',
    }) as const
  const gap = '(activity.last_day - activity.first_day) / nullif(activity.days_all - 1, 0)'
  return [
    {
      feature: feature('days_30', 'days', { words: 'days with any activity in the last 30', windowDays: 30 }),
      sql: known(30, 'coalesce(activity.days_30, 0)'),
    },
    {
      feature: feature('days_90', 'days', { words: 'days with any activity in the last 90', windowDays: 90 }),
      sql: known(90, 'coalesce(activity.days_90, 0)'),
    },
    {
      feature: feature('types_90', 'types', {
        words: 'kinds of activity in the last 90 days',
        windowDays: 90,
      }),
      sql: known(90, 'coalesce(activity.types_90, 0)'),
    },
    {
      feature: feature('days_since', 'days', { words: 'days since any activity' }),
      sql: 'spine.cutoff - activity.last_day',
    },
    { feature: feature('gap', 'days', { words: 'typical days between two active days' }), sql: gap },
    {
      feature: feature('overdue', 'gaps', { words: 'how overdue any activity is, in typical gaps' }),
      sql: `(spine.cutoff - activity.last_day) / nullif(${gap}, 0)`,
    },
    {
      feature: feature('trend', 'log ratio', {
        words: 'all activity: last 30 days against the 30 before',
        windowDays: 60,
      }),
      sql: known(
        60,
        'ln((coalesce(activity.count_30, 0) + 0.5) / (coalesce(activity.count_before_30, 0) + 0.5))',
      ),
    },
  ]
}
