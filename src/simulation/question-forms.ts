import { z } from 'zod'
import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { placeOf, problemsOf } from '../domain/program-problems.ts'
import { strict, text, wholeNumber } from '../domain/schema-parts.ts'
import { type BudgetQuestion, budgetOf, budgetSchema } from './budget-question.ts'
import { milderChange } from './milder.ts'
import { parseScenario, type Scenario, scenarioSchema } from './scenario.ts'

/**
 * What may be asked: one scenario, several side by side, one at several strengths, how strong it must be, or whom to treat
 * with a budget.
 */
export type Question =
  | { readonly kind: 'scenario'; readonly scenario: Scenario }
  | { readonly kind: 'compare'; readonly scenarios: readonly Scenario[] }
  | {
      readonly kind: 'sweep'
      readonly scenario: Scenario
      readonly lever: number | null
      readonly steps: number
    }
  | {
      readonly kind: 'goal'
      readonly scenario: Scenario
      readonly lever: number | null
      readonly figure: string
      readonly target: number
    }
  | { readonly kind: 'budget'; readonly budget: BudgetQuestion }

const lever = z.int('the place of a change, from 0').min(0, 'the place of a change, from 0').optional()
const scenario = z.record(z.string(), z.unknown(), 'a scenario')

const formsSchema = strict({
  compare: z
    .array(scenario, 'a list of scenarios')
    .min(2, 'two to eight scenarios')
    .max(8, 'two to eight scenarios')
    .optional(),
  sweep: strict({
    scenario,
    lever,
    steps: wholeNumber('a whole number from 1 to 20', 20).default(5),
  }).optional(),
  goal: strict({
    scenario,
    lever,
    figure: text('what is to be reached, such as nps_90 or churn_90'),
    target: z.number('a net promoter score, or a probability'),
  }).optional(),
  budget: budgetSchema.optional(),
})

/** The schema of a question of any form as JSON, for descriptions: {@link parseQuestion} explains better what is wrong. */
export const questionSchema = z.union([scenarioSchema, formsSchema])

const forms = ['compare', 'sweep', 'goal', 'budget'] as const

/** Reads a question of any form. **Errors** `scenario`, with every problem and what is allowed. */
export function parseQuestion(data: unknown): Question {
  const isForm = typeof data === 'object' && data !== null && forms.some((form) => Object.hasOwn(data, form))
  if (!isForm) return { kind: 'scenario', scenario: parseScenario(data) }
  const parsed = formsSchema.safeParse(data)
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, data).map(
      ({ path, message }) => `- ${placeOf(path)}: ${message}`,
    )
    throw usageError('scenario', `The question cannot be used:\n${problems.join('\n')}`)
  }
  const { compare, sweep, goal, budget } = parsed.data
  if ([compare, sweep, goal, budget].filter((form) => form !== undefined).length > 1)
    throw usageError('scenario', `The question has several forms. Keep one of ${forms.join(', ')}.`)
  if (budget) return { kind: 'budget', budget: budgetOf(budget) }
  if (compare) return { kind: 'compare', scenarios: compare.map(parseScenario) }
  if (sweep) return { kind: 'sweep', ...gradual('sweep', sweep), steps: sweep.steps }
  const { figure, target } = goal as NonNullable<typeof goal>
  return { kind: 'goal', ...gradual('goal', goal as NonNullable<typeof goal>), figure, target }
}

/** The scenarios of a question of any form; a budget has none. */
export function scenariosOf(question: Question): readonly Scenario[] {
  if (question.kind === 'budget') return []
  return 'scenarios' in question ? question.scenarios : [question.scenario]
}

/** What a question is called and of which day it is asked: its first scenario says so, or the budget. */
export function headOf(question: Question): { readonly name: string; readonly date: Day | null } {
  return question.kind === 'budget' ? question.budget : scenariosOf(question)[0]
}

/** The same question of another day. Null: of the latest with predictions. */
export function askedOn(question: Question, date: Day | null): Question {
  if (question.kind === 'budget') return { ...question, budget: { ...question.budget, date } }
  return 'scenarios' in question
    ? { ...question, scenarios: question.scenarios.map((scenario) => ({ ...scenario, date })) }
    : { ...question, scenario: { ...question.scenario, date } }
}

const notGradual = { events: 'a cap', attribute: 'an attribute', initiative: 'an initiative' } as const

/** A scenario whose changes can be made milder. */
function gradual(
  form: string,
  { scenario, lever }: { scenario: Record<string, unknown>; lever?: number | undefined },
): { scenario: Scenario; lever: number | null } {
  const found = parseScenario(scenario)
  const asked = lever === undefined ? found.changes : found.changes.slice(lever, lever + 1)
  if (asked.length === 0)
    throw usageError(
      'scenario',
      `The question cannot be used:\n- ${form}.${lever === undefined ? 'scenario.changes' : 'lever'}: there is no such change; allowed: a scenario with changes, and a lever from 0 to ${Math.max(0, found.changes.length - 1)}.`,
    )
  for (const change of asked)
    if (milderChange(change, 1) === null)
      throw usageError(
        'scenario',
        `The question cannot be used:\n- ${form}.scenario.changes: ${notGradual[change.kind]} has no strength between nothing and all; allowed: remove, add, scale and shift of events.`,
      )
  return { scenario: found, lever: lever ?? null }
}
