import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { refuseWrong } from '../simulation/compared-initiatives.ts'
import { seekGoal, sweepScenario } from '../simulation/levers.ts'
import { refuseUnknown } from '../simulation/question.ts'
import { type Question, scenariosOf } from '../simulation/question-forms.ts'
import type { Scenario } from '../simulation/scenario.ts'
import { answerScenario } from '../simulation/what-if.ts'
import type { ScenarioRequest, Workplace } from '../simulation/workplace.ts'
import {
  type AnswerOrigin,
  originOf,
  reportOf,
  type StrengthReport,
  stateGoal,
  strengthReport,
  type WhatIfReport,
} from './answer-report.ts'
import { reportBudget } from './budget.ts'
import type { BudgetReport } from './budget-report.ts'
import { WhatIfSession } from './what-if-session.ts'

export interface WhatIfOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Whether the whole population is looked at instead of a sample. */
  readonly isFull: boolean
  readonly seed: number
  readonly reporter: Reporter
  /** Kept between the questions of a process that stays up. Default: one for this question. */
  readonly session?: WhatIfSession
  /** Where the database spills. Default: within the lake's folder. */
  readonly scratchFolder?: string
  /** Ends the work before it is done. */
  readonly signal?: AbortSignal
}

/** Customers of whom a question is answered at once. */
const sampledCustomers = 2000

/** Answers a scenario from the lake and the version that serves. */
export function askWhatIf(
  program: Program,
  { scenario, ...options }: WhatIfOptions & { readonly scenario: Scenario },
): Promise<WhatIfReport> {
  return withWhatIf(program, options, async ({ workplace, version, request }) =>
    reportOf(program, version, await answerScenario(workplace, { ...request, scenario })),
  )
}

/** The answer to a question of any form. */
export type QuestionReport =
  | { readonly kind: 'scenario'; readonly report: WhatIfReport }
  | { readonly kind: 'compare'; readonly compare: readonly WhatIfReport[] }
  | { readonly kind: 'sweep'; readonly origin: AnswerOrigin; readonly sweep: readonly StrengthReport[] }
  | {
      readonly kind: 'goal'
      readonly origin: AnswerOrigin
      readonly goal: {
        readonly figure: string
        readonly target: number
        readonly reached: boolean
        readonly baseline: number
        readonly value: number
        readonly nearest: StrengthReport
        readonly statement: string
      }
    }
  | { readonly kind: 'budget'; readonly budget: BudgetReport }

/** Answers a question of any form, all of its scenarios on the same people and draws. */
export function askQuestion(
  program: Program,
  { question, ...options }: WhatIfOptions & { readonly question: Question },
): Promise<QuestionReport> {
  return withWhatIf(program, options, async ({ workplace, version, request }): Promise<QuestionReport> => {
    const answer = async (scenario: Scenario) =>
      reportOf(program, version, await answerScenario(workplace, { ...request, scenario }))
    if (question.kind === 'scenario') return { kind: 'scenario', report: await answer(question.scenario) }
    if (question.kind === 'compare') {
      const compare: WhatIfReport[] = []
      for (const scenario of question.scenarios) compare.push(await answer(scenario))
      return { kind: 'compare', compare }
    }
    if (question.kind === 'budget') {
      const budget = await reportBudget(workplace.free(), {
        ...request,
        ...options,
        version,
        question: question.budget,
      })
      return { kind: 'budget', budget }
    }
    const { scenario } = question
    if (question.kind === 'sweep') {
      const sweep = await sweepScenario(workplace, { ...request, scenario }, question)
      const origin = originOf(program, version, sweep[sweep.length - 1].answer)
      return { kind: 'sweep', origin, sweep: sweep.map(strengthReport) }
    }
    const found = await seekGoal(workplace, { ...request, scenario }, question)
    const { figure, target } = question
    const { isReached: reached, baseline, value } = found
    const statement = stateGoal(question, found)
    const nearest = strengthReport(found.nearest)
    const origin = originOf(program, version, found.nearest.answer)
    return { kind: 'goal', origin, goal: { figure, target, reached, baseline, value, nearest, statement } }
  })
}

/** The answer as `--json` prints it and the API sends it: a scenario's stands alone, others under the name of their form. */
export function questionDocument(answer: QuestionReport): unknown {
  const { kind, ...rest } = answer
  return kind === 'scenario' ? answer.report : rest
}

/**
 * Refuses what the data do not know in any scenario of a question, without answering it.
 *
 * **Errors** `scenario`, each naming what is allowed; `no-model`.
 */
export function checkQuestion(
  program: Program,
  { question, ...options }: WhatIfOptions & { readonly question: Question },
): Promise<void> {
  return withWhatIf(program, options, async ({ workplace: { database }, request }) => {
    if (question.kind === 'budget') {
      const { budget } = question
      await refuseWrong(database, { ...budget, asked: request.asked })
    }
    for (const scenario of scenariosOf(question)) await refuseUnknown(database, request.asked, scenario)
  })
}

/** What a question is answered with. */
export interface Opened {
  readonly workplace: Workplace
  /** Version that forecasts. */
  readonly version: string
  readonly request: Omit<ScenarioRequest, 'scenario'>
}

/** A place to work at, the lake and the version that serves, for as long as a question takes. */
export async function withWhatIf<T>(
  program: Program,
  { isFull, seed, reporter, session, scratchFolder, signal, ...folders }: WhatIfOptions,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  // For a single sample, threads take longer to start than they save.
  const opened = session ?? new WhatIfSession(program, { ...folders, isThreaded: isFull })
  try {
    const { asked, version, card } = await opened.current()
    const request = {
      ...{ card, seed, asked },
      most: isFull ? null : sampledCustomers,
      onDraw: (done: number, total: number) => reporter.progress({ phase: 'what-if', done, total }),
    }
    const place = { parent: scratchFolder ?? asked.lake.folder, isKept: !isFull, ...(signal && { signal }) }
    return await opened.withWorkplace(place, (workplace) => work({ workplace, version, request }))
  } finally {
    if (session === undefined) await opened.close()
  }
}
