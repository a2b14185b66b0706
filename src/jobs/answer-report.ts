import type { Program } from '../domain/program.ts'
import {
  listMoved,
  type MovedCustomer,
  type SegmentDifference,
  splitBySegment,
} from '../simulation/breakdown.ts'
import type { GroupFigures } from '../simulation/figures.ts'
import type { GoalAnswer, StrengthAnswer } from '../simulation/levers.ts'
import { strengthWords } from '../simulation/milder.ts'
import type { ScenarioMoney } from '../simulation/money.ts'
import type { ScenarioAnswer, Support } from '../simulation/what-if.ts'

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

export function strengthReport({ strength, changes, answer }: StrengthAnswer): StrengthReport {
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

export function stateGoal(
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

export function originOf(program: Program, version: string, answer: ScenarioAnswer): AnswerOrigin {
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

export function reportOf(program: Program, version: string, answer: ScenarioAnswer): WhatIfReport {
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
