import { join } from 'node:path'
import { expectedOf, netScoreOf } from '../src/api/group-figures.ts'
import { type Database, quoteText } from '../src/lake/database.ts'
import type { ModelCard } from '../src/model/model-cards.ts'

/** Smaller groups say nothing of the level. */
const fewest = 30
/** How customers are divided: as the model does, and by what is known of them. */
const divisions = {
  segments: ['segment'],
  attributes: ['region', 'acquired_by', 'contract', 'plan'],
} as const

export interface JudgedGroups {
  readonly company: string
  readonly date: string
  readonly card: ModelCard | null
  /** `<outcome>_<horizon>`. */
  readonly tasks: readonly string[]
}

/**
 * Share of groups whose 95% interval, as the API serves it, holds the truth: the true NPS, and the counted rate of each
 * outcome and horizon.
 *
 * @param database holds `judged`, see `judgeRun`.
 */
export async function judgeGroups(database: Database, groups: JudgedGroups): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const [division, columns] of Object.entries(divisions)) {
    const rows: GroupRow[] = []
    for (const column of columns) rows.push(...(await database.rows<GroupRow>(selectGroups(column, groups))))
    const scores = rows.map((row) => isScoreInside(row, groups.card))
    const rates = rows.flatMap((row) => groups.tasks.map((task) => isRateInside(task, row, groups.card)))
    figures[`groups inside ${division}_nps`] = shareOf(scores)
    figures[`groups inside ${division}_rates`] = shareOf(rates)
  }
  return figures
}

type GroupRow = Readonly<Record<string, number | null>> & { readonly customers: number }

function selectGroups(column: string, { company, date, tasks }: JudgedGroups): string {
  const means = tasks.flatMap((task) => [
    `avg(${task}) as ${task}`,
    `avg(${task}_happened) as ${task}_happened`,
  ])
  return `
    with known as (
      select customer_id, ${divisions.attributes.map((name) => `arg_max(${name}, valid_from) as ${name}`).join(', ')}
      from read_parquet(${quoteText(join(company, 'customers.parquet'))})
      where valid_from < date ${quoteText(date)} + 1
      group by customer_id
    )
    select
      count(*)::integer as customers,
      100 * avg(p_promoter - p_detractor) as nps,
      100 * avg(p_promoter_true - p_detractor_true) as nps_true,
      ${means.join(',\n')}
    from judged join known using (customer_id)
    where ${column} is not null
    group by ${column}
    having count(*) >= ${fewest}`
}

/** Null where there is no interval. */
function isScoreInside(
  { customers, nps, nps_true: truth }: GroupRow,
  card: ModelCard | null,
): boolean | null {
  const ci95 = netScoreOf('nps_0', { mean: nps, customers }, card)?.ci95
  return isWithin(truth, ci95 ?? null)
}

function isRateInside(task: string, row: GroupRow, card: ModelCard | null): boolean | null {
  const ci95 = expectedOf(task, { mean: row[task], customers: row.customers }, card)?.ci95
  return isWithin(row[`${task}_happened`], ci95 ?? null)
}

function isWithin(value: number | null, interval: readonly [number, number] | null): boolean | null {
  if (value === null || interval === null) return null
  return value >= interval[0] && value <= interval[1]
}

function shareOf(all: readonly (boolean | null)[]): number {
  const known = all.filter((one) => one !== null)
  return known.filter(Boolean).length / known.length
}
