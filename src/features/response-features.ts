import { quoteText } from '../lake/database.ts'
import type { Catalogue, FeatureColumn } from './catalogue.ts'

/** Long aggregates: one row a spine row and metric. Scores are decimals, so that sums are exact. */
export function responseAggregates({ responses, spine }: { responses: string; spine: string }): string {
  return `
    select
      row,
      metric,
      count(*) as count_all,
      count(*) filter (where day > cutoff - 365) as count_365,
      sum(score::decimal(9, 3)) as sum_all,
      sum(score::decimal(9, 3)) filter (where day > cutoff - 90) as sum_90,
      count(*) filter (where day > cutoff - 90) as count_90,
      arg_max(score, ("at", row_id)) as score_last,
      min(score) as score_min,
      max(day) as last_day
    from ${spine} as spine
    join ${responses} as responses
      using (customer_id)
    where day <= cutoff
    group by row, metric`
}

/** Features of each metric's answers, as expressions over {@link responseAggregates} grouped by spine row. */
export function responseColumns(catalogue: Catalogue): FeatureColumn[] {
  return catalogue.metrics.flatMap((metric): FeatureColumn[] => {
    const of = (measure: string) => `max(${measure}) filter (where metric = ${quoteText(metric)})`
    const feature = (name: string, unit: string, words: string) =>
      ({
        name: `${metric}_${name}`,
        kind: 'number',
        unit,
        windowDays: null,
        words: `${metric.toUpperCase()} answers: ${words}`,
        origin: metric,
      }) as const
    const earlierMean = `(${of('sum_all')} - ${of('score_last')}::decimal(9, 3)) / nullif(${of('count_all')} - 1, 0)`
    return [
      { feature: feature('last', 'points', 'the last one'), sql: of('score_last') },
      { feature: feature('mean', 'points', 'mean of all'), sql: `${of('sum_all')} / ${of('count_all')}` },
      {
        feature: feature('mean_90', 'points', 'mean of the last 90 days'),
        sql: `${of('sum_90')} / nullif(${of('count_90')}, 0)`,
      },
      { feature: feature('lowest', 'points', 'the lowest'), sql: of('score_min') },
      {
        feature: feature('trend', 'points', 'the last one against the mean of those before'),
        sql: `${of('score_last')}::decimal(9, 3) - ${earlierMean}`,
      },
      { feature: feature('count', 'answers', 'how many ever'), sql: `coalesce(${of('count_all')}, 0)` },
      {
        feature: feature('days_since', 'days', 'days since the last one'),
        sql: `any_value(spine_cutoff) - ${of('last_day')}`,
      },
    ]
  })
}
