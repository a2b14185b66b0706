import type { GroupError } from '../model/group-forecast.ts'
import type { ModelCard } from '../model/model-cards.ts'
import type { Evaluation } from './evaluation.ts'
import { isMoney, type Quantity } from './quantities.ts'
import {
  average,
  type DifferenceVariance,
  type Figure,
  figureOf,
  samplingVariance,
  totalOf,
} from './uncertainty.ts'

/** The same for an outcome: mean probability, and how many customers that is. */
export interface OutcomeFigure {
  readonly rate: number
  readonly customers: number
  readonly ci80: readonly [number, number]
  readonly ci95: readonly [number, number]
}

/** What is forecast of a group: net promoter score by days ahead, outcomes by `<outcome>_<horizon>`. */
export interface GroupFigures {
  readonly nps: Readonly<Record<string, Figure>>
  readonly outcomes: Readonly<Record<string, OutcomeFigure>>
}

/** A group as it is, as it would be, and the difference. */
export interface ComparedFigures {
  readonly baseline: GroupFigures
  readonly scenario: GroupFigures
  readonly difference: GroupFigures
}

/** Sums the population up. Levels are as uncertain as the version's card says; the difference much less. */
export function compareFigures(
  evaluation: Evaluation,
  variances: readonly DifferenceVariance[],
  card: ModelCard | null,
): ComparedFigures {
  const { list, scope } = evaluation
  const cells = list.flatMap((quantity, index) => {
    if (isMoney(quantity)) return []
    const range = quantity.task === 'nps' ? npsRange : rateRange
    const mean = average(evaluation.baseline[index])
    const moved = average(evaluation.difference[index])
    const level =
      levelVariance(card?.groupErrors[quantity.name] ?? null, scope.customers) +
      samplingVariance(evaluation.baseline[index], scope)
    const moving = totalOf(variances[index])
    return [
      {
        quantity,
        baseline: figureOf(mean, level, range),
        scenario: figureOf(mean + moved, level + moving, range),
        difference: figureOf(moved, moving),
      },
    ]
  })
  const figures = (part: 'baseline' | 'scenario' | 'difference') =>
    groupFigures(
      cells.map((cell) => ({ quantity: cell.quantity, figure: cell[part] })),
      scope.customers,
    )
  return { baseline: figures('baseline'), scenario: figures('scenario'), difference: figures('difference') }
}

const npsRange = [-100, 100] as const
const rateRange = [0, 1] as const

function levelVariance(error: GroupError | null, customers: number): number {
  return error === null ? 0 : error.standardError ** 2 + error.spread ** 2 / customers
}

function groupFigures(
  cells: readonly { readonly quantity: Quantity; readonly figure: Figure }[],
  customers: number,
): GroupFigures {
  const nps: Record<string, Figure> = {}
  const outcomes: Record<string, OutcomeFigure> = {}
  for (const { quantity, figure } of cells) {
    if (quantity.task === 'nps') nps[quantity.name.slice('nps_'.length)] = figure
    else {
      const { value, ci80, ci95 } = figure
      outcomes[quantity.name] = { rate: value, customers: value * customers, ci80, ci95 }
    }
  }
  return { nps, outcomes }
}
