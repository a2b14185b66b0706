import type { Day } from '../domain/days.ts'
import { LoyalcastError, usageError } from '../domain/errors.ts'
import type { InitiativeComparison } from '../impact/initiative.ts'
import type { Database } from '../lake/database.ts'
import { compareKnown } from './initiative-effects.ts'
import { initiativesOf, refuseUnknown, requireKnown } from './question.ts'
import type { LeftOut, TreatmentRequest } from './treatment.ts'

/** Initiatives with somebody to compare with, and those without. */
export interface ComparedInitiatives {
  readonly known: readonly { readonly initiative: string; readonly comparison: InitiativeComparison }[]
  readonly leftOut: readonly LeftOut[]
}

/**
 * Sets the arms of all initiatives side by side that are asked for, or that there are.
 *
 * **Errors** `scenario` where a name is not known; of initiatives that were named those of their comparison.
 */
export async function compareInitiatives(
  database: Database,
  request: TreatmentRequest & { readonly date: Day },
): Promise<ComparedInitiatives> {
  const { asked, initiatives, date, seed, onInitiative } = request
  await refuseWrong(database, request)
  const names = initiatives ?? initiativesOf(asked)
  const known: { initiative: string; comparison: InitiativeComparison }[] = []
  const leftOut: LeftOut[] = []
  for (const [done, initiative] of names.entries()) {
    onInitiative(done, names.length)
    const comparison = await compareKnown(database, { asked, initiative, date, seed }).catch((error) => {
      if (initiatives === null && error instanceof LoyalcastError && error.kind === 'usage') return error
      throw error
    })
    if (comparison instanceof LoyalcastError)
      leftOut.push({ initiative, arm: null, evidence: null, reason: comparison.message })
    else if (comparison.control !== null) known.push({ initiative, comparison })
    else leftOut.push(oneArmOnly(initiative, initiatives !== null))
  }
  onInitiative(names.length, names.length)
  return { known, leftOut }
}

/** **Errors** `no-comparison` where the initiative was named. */
function oneArmOnly(initiative: string, isNamed: boolean): LeftOut {
  const reason = `${initiative} has one arm only: there is nobody to compare it with.`
  if (isNamed) throw usageError('no-comparison', reason)
  return { initiative, arm: null, evidence: 'associational', reason }
}

/** Refuses names that are not known. **Errors** `scenario`, each naming what is allowed. */
export async function refuseWrong(
  database: Database,
  {
    asked,
    population,
    initiatives,
    cost,
    outcome,
  }: Pick<TreatmentRequest, 'asked' | 'population' | 'initiatives' | 'cost' | 'outcome'>,
): Promise<void> {
  await refuseUnknown(database, asked, { population, changes: [] })
  const known = initiativesOf(asked)
  for (const [place, name] of (initiatives ?? []).entries())
    requireKnown(name, known, `budget.initiatives[${place}]`)
  if (cost !== null && typeof cost === 'object')
    for (const name of Object.keys(cost))
      requireKnown(name, initiatives ?? known, `budget.cost_per_customer.${name}`)
  const outcomes = asked.program.outcomes.map(({ name }) => name)
  if (outcome !== null) requireKnown(outcome, outcomes, 'budget.outcome')
}
