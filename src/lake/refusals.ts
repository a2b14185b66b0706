import type { TableName } from '../domain/program.ts'
import { metricRanges, metrics, quarantineReasons } from '../domain/tables.ts'
import { quoteText } from './database.ts'

/** Amounts beyond this are typing errors. */
const largestAmount = 1e12

/** The reasons as a type that takes a byte a row. */
export const refusalType = `enum (${Object.keys(quarantineReasons).map(quoteText).join(', ')})`

/**
 * Why a row of canonical columns cannot be taken, as a SQL expression that is null where it can.
 *
 * It may also use "bad time" and "bad number": something is there that could not be read.
 */
export function refusalCase(table: TableName, now: string): string {
  const latest = `timestamptz ${quoteText(now)} + interval 366 days`
  const rules = table === 'customers' ? customerRules(latest) : datedRules(table, latest)
  const cases = [['customer_id is null', 'no_customer'], ...rules]
  return `case ${cases.map(([condition, reason]) => `when ${condition} then '${reason}'`).join(' ')} end`
}

type Rule = readonly [condition: string, reason: string]

function datedRules(table: Exclude<TableName, 'customers'>, latest: string): Rule[] {
  return [
    ['"at" is null or not isfinite("at")', 'bad_time'],
    [`"at" < timestamptz '1970-01-02 00:00:00+00'`, 'empty_time'],
    [`"at" > ${latest}`, 'far_future'],
    ...tableRules[table],
    ['"bad number"', 'bad_value'],
  ]
}

const tableRules: Readonly<Record<Exclude<TableName, 'customers'>, readonly Rule[]>> = {
  events: [['type is null', 'no_type'], beyondAmounts('"value"')],
  interventions: [['initiative is null or arm is null', 'no_arm'], beyondAmounts('cost')],
  responses: [
    [`metric is null or metric not in ('${metrics.join("', '")}')`, 'unknown_metric'],
    ['score is null or not isfinite(score)', 'bad_value'],
    [`case metric ${metrics.map(outOfRange).join(' ')} end`, 'score_out_of_range'],
    ["metric = 'nps' and score <> trunc(score)", 'score_out_of_range'],
    ['weight < 0', 'bad_value'],
    beyondAmounts('weight'),
  ],
}

function outOfRange(metric: keyof typeof metricRanges): string {
  const [lowest, highest] = metricRanges[metric]
  return `when '${metric}' then score not between ${lowest} and ${highest}`
}

/** Not finite, or beyond what money and amounts can be. */
function beyondAmounts(column: string): Rule {
  return [`not isfinite(${column}) or abs(${column}) > ${largestAmount}`, 'bad_value']
}

/** People join before 1970 too; what an empty timestamp gives is 1970-01-01 itself, or the year 1. */
function customerRules(latest: string): Rule[] {
  const dated = ['valid_from', 'joined_at'].flatMap((column): Rule[] => [
    [`not isfinite(${column})`, 'bad_time'],
    [
      `${column} < timestamptz '1900-01-01 00:00:00+00' or ${column} in (timestamptz '1970-01-01 00:00:00+00', timestamptz '1970-01-01 00:00:00')`,
      'empty_time',
    ],
    [`${column} > ${latest}`, 'far_future'],
  ])
  return [
    ['"bad time"', 'bad_time'],
    ...dated,
    [`observed_until <= date '1970-01-01'`, 'empty_time'],
    ['"bad number"', 'bad_value'],
    beyondAmounts('annual_value'),
  ]
}
