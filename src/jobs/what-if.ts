import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import {
  listMoved,
  type MovedCustomer,
  type SegmentDifference,
  splitBySegment,
} from '../simulation/breakdown.ts'
import { refuseWrong } from '../simulation/compared-initiatives.ts'
import type { GroupFigures } from '../simulation/figures.ts'
import { type GoalAnswer, type StrengthAnswer, seekGoal, sweepScenario } from '../simulation/levers.ts'
import { strengthWords } from '../simulation/milder.ts'
import type { ScenarioMoney } from '../simulation/money.ts'
import { refuseUnknown } from '../simulation/question.ts'
import { type Question, scenariosOf } from '../simulation/question-forms.ts'
import type { Scenario } from '../simulation/scenario.ts'
import { answerScenario, type ScenarioAnswer, type Support } from '../simulation/what-if.ts'
import type { ScenarioRequest, Workplace } from '../simulation/workplace.ts'
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

/** What an answer would be by the forecasts alone. */
export interface AssociationalReport {
  readonly scenario: GroupFigures
  readonly difference: GroupFigures
  readonly if_causal?: ScenarioMoney
}

/** The answer to a scenario, as `--json` prints it. Names are a contract: see the README. */
export interface WhatIfReport {
  readonly name: string
  readonly program: string
  readonly date: string
  readonly model_version: string
  readonly evidence: ScenarioAnswer['evidence']
  readonly evidence_reason: string
  readonly customers: number
  readonly sampled: number
  readonly edited: number
  readonly support: Support
  readonly baseline: GroupFigures | null
  readonly scenario: GroupFigures | null
  readonly difference: GroupFigures | null
  readonly cost: number
  readonly currency: string
  readonly money?: ScenarioMoney
  readonly if_causal?: ScenarioMoney
  /** How forecasts answer to the edited behaviour, beside an adjusted answer; null beside any other. */
  readonly associational: AssociationalReport | null
  /** Differences by segment. */
  readonly segments: readonly SegmentDifference[]
  /** Customers of the sample whom the scenario moves most. */
  readonly most_moved: readonly MovedCustomer[]
  readonly assumptions: readonly string[]
}

/** Customers named who are moved most. */
const mostMoved = 10

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

/** A scenario at one strength, as `--json` prints it. */
export interface StrengthReport {
  readonly strength: number
  /** The changes at this strength in words. */
  readonly changes: readonly string[]
  readonly support: WhatIfReport['support']
  readonly scenario: GroupFigures
  readonly difference: GroupFigures
  readonly money?: ScenarioMoney
  readonly if_causal?: ScenarioMoney
  /** As that of a scenario. */
  readonly associational: AssociationalReport | null
}

/** Where the numbers of a question come from. */
export type AnswerOrigin = Pick<
  WhatIfReport,
  'name' | 'program' | 'date' | 'model_version' | 'evidence' | 'evidence_reason' | 'customers' | 'sampled'
> & { readonly assumptions: readonly string[] }

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
      const budget = await reportBudget(workplace.database, {
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
    const place = { parent: scratchFolder ?? asked.lake.folder, isKept: !isFull }
    return await opened.withWorkplace(place, (workplace) => {
      const stop = () => workplace.database.stop()
      if (signal?.aborted) stop()
      signal?.addEventListener('abort', stop, { once: true })
      return work({ workplace, version, request })
    })
  } finally {
    if (session === undefined) await opened.close()
  }
}

/** Money by the name that its evidence allows. */
function moneyOf({ money, evidence }: ScenarioAnswer): Pick<WhatIfReport, 'money' | 'if_causal'> {
  if (money === null) return {}
  return evidence === 'associational' ? { if_causal: money } : { money }
}

function associationalOf({ associational }: ScenarioAnswer): AssociationalReport | null {
  if (associational === null) return null
  const { figures, money } = associational
  const { scenario, difference } = figures
  return { scenario, difference, ...(money && { if_causal: money }) }
}

function strengthReport({ strength, changes, answer }: StrengthAnswer): StrengthReport {
  const { figures } = answer
  return {
    strength,
    changes: changes.map(strengthWords),
    support: answer.support,
    scenario: figures.scenario,
    difference: figures.difference,
    ...moneyOf(answer),
    associational: associationalOf(answer),
  }
}

function stateGoal(
  { figure, target }: { figure: string; target: number },
  { isReached, nearest, baseline, value }: GoalAnswer,
): string {
  const digits = figure.startsWith('nps_') ? 1 : 4
  const [from, to, wanted] = [baseline, value, target].map((number) => number.toFixed(digits))
  const changes = nearest.changes.map(strengthWords).join(' and ')
  const by =
    nearest.answer.evidence === 'associational'
      ? 'by how forecasts answer to other behaviour'
      : 'by what days with such events were measured to do'
  return isReached
    ? `${figure} from ${from} to ${wanted}: ${changes} brings it to ${to}, ${by}.`
    : `No strength of it brings ${figure} from ${from} to ${wanted}: ${changes} is as far as it goes within what is known, and brings ${to}.`
}

function originOf(program: Program, version: string, answer: ScenarioAnswer): AnswerOrigin {
  const { scenario, day, scope } = answer
  return {
    name: scenario.name,
    program: program.name,
    date: day.date,
    model_version: version,
    evidence: answer.evidence,
    evidence_reason: answer.evidenceWords,
    customers: scope.customers,
    sampled: scope.sampled,
    assumptions: answer.assumptions,
  }
}

function reportOf(program: Program, version: string, answer: ScenarioAnswer): WhatIfReport {
  const { scope, support, evaluation, figures } = answer
  const { assumptions, ...origin } = originOf(program, version, answer)
  const isGiven = !support.refused
  return {
    ...origin,
    edited: Math.round((evaluation.editedAtOnce * scope.customers) / scope.sampled),
    support: answer.support,
    baseline: isGiven ? figures.baseline : null,
    scenario: isGiven ? figures.scenario : null,
    difference: isGiven ? figures.difference : null,
    cost: answer.cost,
    currency: program.currency,
    ...(isGiven && moneyOf(answer)),
    associational: associationalOf(answer),
    segments: isGiven ? splitBySegment(evaluation) : [],
    most_moved: isGiven ? listMoved(evaluation, mostMoved) : [],
    assumptions,
  }
}
