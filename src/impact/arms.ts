import jStat from 'jstat'
import { usageError } from '../domain/errors.ts'
import { densePositions } from '../model/folds.ts'
import type { Assignments } from './assignments.ts'

/** Names by which companies call the arm that nothing was done to. */
const controlNames =
  /^(control.*|ctrl|hold.?out.*|placebo|none|nothing|baseline|no|no[ _-].*|not[ _-].*|untreated|0|false|a)$/i

/** What may say which arm is compared with. */
export interface ControlChoice {
  readonly initiative: string
  /** Asked for, or planned in the program file; null: to be told from the names. */
  readonly wanted: string | null
}

/**
 * The arm that the others are compared with; null where there is only one arm.
 *
 * **Errors** `unknown-arm`, `which-control` where no name says which it is.
 */
export function chooseControl(arms: readonly string[], { initiative, wanted }: ControlChoice): string | null {
  const names = `${initiative} has the arms ${arms.join(', ')}`
  if (wanted !== null) {
    if (arms.includes(wanted)) return arms.length > 1 ? wanted : null
    throw usageError('unknown-arm', `There is no arm ${wanted}: ${names}.`)
  }
  if (arms.length < 2) return null
  const meant = arms.filter((arm) => controlNames.test(arm.trim()))
  if (meant.length === 1) return meant[0]
  throw usageError(
    'which-control',
    `${names}, and no name says which one the others are compared with. Name it with --control, or in the program file as initiatives: { ${initiative}: { control: … } }.`,
  )
}

/** Customers in each arm, most first. */
export function countArms({ arm }: Pick<Assignments, 'arm'>): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of arm) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)))
}

/**
 * How likely arms of these sizes are where each cluster came into them with the shares that were meant: a small number
 * says that something went wrong between drawing and writing down. Null with one arm, or where a share is 0.
 *
 * @param shares by default all the same; brought to a sum of 1.
 */
export function sampleRatioP(
  { arm, cluster }: Pick<Assignments, 'arm' | 'cluster'>,
  shares: Readonly<Record<string, number>> | null,
): number | null {
  const { position, count } = densePositions(cluster)
  const armOf = new Array<string>(count)
  for (const [row, place] of position.entries()) armOf[place] = arm[row]
  const counts = countArms({ arm: armOf })
  const arms = [...new Set([...Object.keys(counts), ...Object.keys(shares ?? {})])]
  const meant = arms.map((name) => (shares === null ? 1 : (shares[name] ?? 0)))
  const total = meant.reduce((sum, share) => sum + share, 0)
  if (arms.length < 2 || meant.some((share) => share <= 0)) return null
  const statistic = arms.reduce((sum, name, index) => {
    const expected = (meant[index] / total) * count
    return sum + ((counts[name] ?? 0) - expected) ** 2 / expected
  }, 0)
  return 1 - jStat.chisquare.cdf(statistic, arms.length - 1)
}
