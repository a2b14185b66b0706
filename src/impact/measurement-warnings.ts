import type { InitiativePlan } from '../domain/program.ts'
import type { Assignments } from './assignments.ts'
import type { MeasuredEffect } from './measurement.ts'

/** What is odd about who was put into which arm. */
export function assignmentWarnings(
  { switched, gone, isByAccount }: Assignments,
  { ratio, plan }: { ratio: number | null; plan: InitiativePlan },
): string[] {
  const warnings: string[] = []
  if (ratio !== null && ratio < 0.001)
    warnings.push(
      plan.shares === null
        ? 'The arms are not of the same size. If other shares were meant, name them under initiatives in the program file.'
        : `Arms of these sizes are hardly chance (p = ${ratio.toExponential(1)}): customers may be missing from one of them.`,
    )
  if (switched > 0) warnings.push(`${switched} customers were put into several arms; the first one counts.`)
  if (gone > 0) warnings.push(`${gone} customers were no longer there when they were put into an arm.`)
  if (isByAccount) warnings.push('Whole accounts were assigned: intervals are over accounts.')
  return warnings
}

/** Where arms differ in how many answered. */
export function answerWarnings(effects: readonly MeasuredEffect[]): string[] {
  return effects.flatMap(({ metric, arm, responseRate }) => {
    if (responseRate === null || Math.abs(responseRate.treated - responseRate.control) < 0.02) return []
    const percent = (share: number) => `${(100 * share).toFixed(1)}%`
    return [
      `${percent(responseRate.treated)} of ${arm} answered ${metric} and ${percent(responseRate.control)} of the control: part of the difference may be who answers.`,
    ]
  })
}

/** Where what the initiative was to be judged by could not be measured. */
export function primaryWarnings({ primary }: InitiativePlan, first: MeasuredEffect | undefined): string[] {
  if (primary === null) return []
  const isMeasured =
    first?.metric === primary.metric &&
    (primary.horizonDays === null || first.horizonDays === primary.horizonDays)
  if (isMeasured) return []
  const horizon = primary.horizonDays === null ? '' : ` within ${primary.horizonDays} days`
  return [
    `${primary.metric}${horizon}, by which the initiative was to be judged, could not be measured: it is no outcome, answer, event type or revenue of the program, or too few customers are known of.`,
  ]
}
