import type { Evaluation } from './evaluation.ts'
import { isMoney, isWorth } from './quantities.ts'
import { average } from './uncertainty.ts'

/** Mean differences of a segment: net promoter points, probabilities, and money over its customers. */
export interface SegmentDifference {
  /** Null: those of no segment. */
  readonly segment: string | null
  readonly customers: number
  /** By `nps_<days>` and `<outcome>_<horizon>`. */
  readonly difference: Readonly<Record<string, number>>
  /** Of all its customers, in program currency; null without money. */
  readonly value: number | null
}

/** A customer and what would change for them. */
export interface MovedCustomer {
  readonly customer_id: string
  readonly segment: string | null
  readonly difference: Readonly<Record<string, number>>
  readonly value: number | null
}

/** The difference by segment of the day's predictions, largest segment first. */
export function splitBySegment(evaluation: Evaluation): SegmentDifference[] {
  const { scope } = evaluation
  const rowsOf = new Map<string | null, number[]>()
  for (const [row, segment] of scope.segment.entries()) {
    const rows = rowsOf.get(segment)
    if (rows) rows.push(row)
    else rowsOf.set(segment, [row])
  }
  const each = scope.customers / scope.sampled
  return [...rowsOf]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([segment, rows]) => {
      const value = valueOfRows(evaluation, rows)
      return {
        segment,
        customers: Math.round(rows.length * each),
        difference: differenceOf(evaluation, rows),
        value: value === null ? null : value * each,
      }
    })
}

/** The customers of the sample whom the scenario moves most: by money where there is any, else by the first outcome. */
export function listMoved(evaluation: Evaluation, most: number): MovedCustomer[] {
  const { scope, list, difference, edited } = evaluation
  const money = moneyIndices(evaluation)
  const main = list.findLastIndex(
    ({ task }) => task === (list.find((own) => own.task !== 'nps') ?? list[0])?.task,
  )
  const indices = money.length > 0 ? money : main < 0 ? [] : [main]
  const moved = (row: number) => Math.abs(indices.reduce((sum, index) => sum + difference[index][row], 0))
  return [...edited]
    .sort((a, b) => moved(b) - moved(a) || a - b)
    .slice(0, most)
    .filter((row) => moved(row) > 0)
    .map((row) => ({
      customer_id: scope.customerId[row],
      segment: scope.segment[row],
      difference: differenceOf(evaluation, [row]),
      value: valueOfRows(evaluation, [row]),
    }))
}

/** What a customer is worth over a year, and what desired outcomes bring. */
function moneyIndices({ list }: Evaluation): number[] {
  return list.flatMap((quantity, index) => (isWorth(quantity) ? [index] : []))
}

function differenceOf({ list, difference }: Evaluation, rows: readonly number[]): Record<string, number> {
  const cells = list.flatMap((quantity, index) =>
    isMoney(quantity) ? [] : [[quantity.name, average(rows.map((row) => difference[index][row]))] as const],
  )
  return Object.fromEntries(cells)
}

function valueOfRows(evaluation: Evaluation, rows: readonly number[]): number | null {
  const money = moneyIndices(evaluation)
  if (money.length === 0) return null
  return rows.reduce(
    (sum, row) => sum + money.reduce((own, index) => own + evaluation.difference[index][row], 0),
    0,
  )
}
