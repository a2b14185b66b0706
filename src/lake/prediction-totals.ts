import { moneyColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { type Database, quoteName } from './database.ts'
import { columnOrNull, numberedRowsOf, type PredictionFile, rowsOf } from './read-predictions.ts'

/** The mean of one figure over those who have it. */
export interface GroupMean {
  /** Net score in points, -100 to 100, or probability; null where nobody has it. */
  readonly mean: number | null
  /** Customers who have the figure. */
  readonly customers: number
}

/** What a day's predictions add up to for a group of customers. */
export interface GroupTotals {
  readonly customers: number
  readonly predicted: number
  /** By `nps_<lead in days>` (`nps_0` is today) and `<outcome>_<horizon>`. */
  readonly means: Readonly<Record<string, GroupMean>>
  /** Sums in the program's currency, exact to the penny; null where no customer has the amount. */
  readonly annualValue: number | null
  readonly valueAtRisk: number | null
  readonly expectedGain: number | null
  readonly expectedValue12m: number | null
}

export interface DayTotals {
  readonly all: GroupTotals
  /** By name of the segment; customers of none are left out. */
  readonly segments: Readonly<Record<string, GroupTotals>>
}

/** Adds up exactly, to the penny: six decimals hold whole pennies, and the finer amounts of older files. */
function pennySum(column: string): string {
  return `round(sum(try_cast(${column} as decimal(32, 6))), 2)::double`
}

/** Adds up a day in one pass, over everybody and by segment. The group's NPS is 100 × mean(p_promoter − p_detractor). */
export async function readDayTotals(
  database: Database,
  file: PredictionFile,
  program: Pick<Program, 'outcomes' | 'horizonsDays'>,
): Promise<DayTotals> {
  const figures = figuresOf(file, program)
  const rows = await database.rows<TotalsRow>(`
    select
      grouping(segment) as is_everybody,
      segment as value,
      ${sumsOf(file, figures)}
    from ${rowsOf(file)}
    group by grouping sets ((), (segment))
    order by segment`)
  const names = figures.map(([name]) => name)
  const everybody = rows.find((row) => row.is_everybody === 1) as TotalsRow
  const named = rows.filter((row) => row.is_everybody === 0 && row.value !== null)
  return {
    all: totalsOf(everybody, names),
    segments: Object.fromEntries(named.map((row) => [row.value, totalsOf(row, names)])),
  }
}

/** What customers are divided by. */
export interface Grouping {
  /** SQL over the rows of the file, or of `attributes` where that is given: a text. */
  readonly value: string
  /** A table whose `row` numbers the rows of the file. */
  readonly attributes: string | null
}

/** A day by groups, the largest first; those without a value last, under null. */
export async function readGroupTotals(
  database: Database,
  file: PredictionFile,
  { program, grouping, limit }: GroupsRequest,
): Promise<{ value: string | null; totals: GroupTotals }[]> {
  const figures = figuresOf(file, program)
  const join =
    grouping.attributes === null
      ? ''
      : `join ${quoteName(grouping.attributes)} as attributes on attributes.row = file_row_number`
  const rows = await database.rows<TotalsRow>(`
    select 0 as is_everybody, ${grouping.value} as value, ${sumsOf(file, figures)}
    from ${numberedRowsOf(file)} ${join}
    group by ${grouping.value}
    order by value is null, customers desc, value
    limit ${limit}`)
  const names = figures.map(([name]) => name)
  return rows.map((row) => ({ value: row.value, totals: totalsOf(row, names) }))
}

export interface GroupsRequest {
  readonly program: Pick<Program, 'outcomes' | 'horizonsDays'>
  readonly grouping: Grouping
  readonly limit: number
}

function sumsOf(file: PredictionFile, figures: readonly (readonly [name: string, sql: string])[]): string {
  const sums = moneyColumns.map((name) => `${pennySum(columnOrNull(file, name, 'double'))} as ${name}`)
  const means = figures.map(
    ([name, figure]) =>
      `avg(${figure}) as ${quoteName(`mean ${name}`)}, count(${figure}) as ${quoteName(`count ${name}`)}`,
  )
  return [
    'count(*) as customers',
    "count(*) filter (where status = 'predicted') as predicted",
    ...means,
    ...sums,
  ].join(',\n      ')
}

interface TotalsRow extends Readonly<Record<string, unknown>> {
  readonly is_everybody: number
  readonly value: string | null
  readonly customers: number
  readonly predicted: number
}

/** Figure → the SQL of one customer's part in it. */
function figuresOf(
  file: PredictionFile,
  { outcomes, horizonsDays }: Pick<Program, 'outcomes' | 'horizonsDays'>,
): [name: string, sql: string][] {
  const column = (name: string) => columnOrNull(file, name, 'double')
  const net = (suffix: string) =>
    `100 * (${column(`p_promoter${suffix}`)} - ${column(`p_detractor${suffix}`)})`
  return [
    ['nps_0', net('')],
    ...horizonsDays.map((days): [string, string] => [`nps_${days}`, net(`_${days}`)]),
    ...outcomes.flatMap(({ name }) =>
      horizonsDays.map((days): [string, string] => [`${name}_${days}`, column(`${name}_${days}`)]),
    ),
  ]
}

function totalsOf(row: TotalsRow, names: readonly string[]): GroupTotals {
  const amount = (name: (typeof moneyColumns)[number]) => row[name] as number | null
  return {
    customers: row.customers,
    predicted: row.predicted,
    means: Object.fromEntries(
      names.map((name) => [
        name,
        { mean: row[`mean ${name}`] as number | null, customers: row[`count ${name}`] as number },
      ]),
    ),
    annualValue: amount('annual_value'),
    valueAtRisk: amount('value_at_risk'),
    expectedGain: amount('expected_gain'),
    expectedValue12m: amount('expected_value_12m'),
  }
}
