import { quoteText } from '../lake/database.ts'
import type { Catalogue, FeatureColumn, FeatureGroup } from './catalogue.ts'
import { isCovered } from './data-begins.ts'

/** Features of each metric's answers. */
export function responseGroup(
  catalogue: Catalogue,
  { responses, spine }: { responses: string; spine: string },
): FeatureGroup {
  if (catalogue.metrics.length === 0) return { reads: 'responses', tables: {}, parts: [] }
  return {
    reads: 'responses',
    tables: { responses_by_metric: responseAggregates({ responses, spine }) },
    parts: catalogue.metrics.map((metric) => ({
      join: {
        alias: `response_${metric}`,
        relation: `(from responses_by_metric where metric = ${quoteText(metric)})`,
      },
      columns: metricColumns(catalogue, metric),
    })),
  }
}

/** Long aggregates: one row a spine row and metric. Scores are decimals, so that sums are exact. */
function responseAggregates({ responses, spine }: { responses: string; spine: string }): string {
  return `
    select
      row,
      metric,
      count(*) as count_all,
      sum(score::decimal(9, 3)) as sum_all,
      sum(score::decimal(9, 3)) filter (where day > cutoff - 90) as sum_90,
      count(*) filter (where day > cutoff - 90) as count_90,
      arg_max(score, epoch_us("at")::hugeint * 18446744073709551616 + row_id) as score_last,
      min(score) as score_min,
      max(day) as last_day
    from ${spine} as spine
    join ${responses} as responses using (customer_id)
    where day <= cutoff
    group by row, metric`
}

function metricColumns(catalogue: Catalogue, metric: string): FeatureColumn[] {
  const of = `response_${metric}`
  const begin = catalogue.answersBeginOn[metric] ?? '1970-01-01'
  const column = (
    name: string,
    unit: string,
    { words, windowDays = null, sql }: { words: string; windowDays?: number | null; sql: string },
  ): FeatureColumn => ({
    feature: {
      name: `${metric}_${name}`,
      kind: 'number',
      unit,
      windowDays,
      words: `${metric.toUpperCase()} answers: ${words}`,
      origin: metric,
    },
    sql: windowDays === null ? sql : `case when ${isCovered(begin, windowDays)} then ${sql} end`,
  })
  const last = `${of}.score_last::decimal(9, 3)`
  const earlierMean = `(${of}.sum_all - ${last}) / nullif(${of}.count_all - 1, 0)`
  return [
    column('last', 'points', { words: 'the last one', sql: `${of}.score_last` }),
    column('mean', 'points', { words: 'mean of all', sql: `${of}.sum_all / ${of}.count_all` }),
    column('mean_90', 'points', {
      words: 'mean of the last 90 days',
      windowDays: 90,
      sql: `${of}.sum_90 / nullif(${of}.count_90, 0)`,
    }),
    column('lowest', 'points', { words: 'the lowest', sql: `${of}.score_min` }),
    column('trend', 'points', {
      words: 'the last one against the mean of those before',
      sql: `${last} - ${earlierMean}`,
    }),
    column('count', 'answers', { words: 'how many ever', sql: `coalesce(${of}.count_all, 0)` }),
    column('days_since', 'days', { words: 'days since the last one', sql: `spine.cutoff - ${of}.last_day` }),
  ]
}
