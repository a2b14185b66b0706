import { type Evidence, isWeaker } from '../impact/measurement.ts'
import type { Database } from '../lake/database.ts'
import { answerBudget, type BudgetAnswer } from '../simulation/budget.ts'
import type { CurvePoint, OrderFigure } from '../simulation/budget-curve.ts'
import type { BudgetQuestion } from '../simulation/budget-question.ts'
import { priors } from '../simulation/money.ts'
import { moneyTicks, type Offers } from '../simulation/offers.ts'
import type { Asked } from '../simulation/question.ts'
import { findTreatments, type Treatments } from '../simulation/treatments.ts'
import { type BudgetGain, type BudgetReport, mostListed, type OrderPoint } from './budget-report.ts'
import { budgetAssumptions, countedWords, stateBudget } from './budget-words.ts'
import { listOffers } from './offer-rows.ts'
import { listLeftOut, listTreatments } from './treatment-report.ts'

export interface BudgetRequest {
  readonly asked: Asked
  readonly seed: number
  readonly version: string
  readonly question: BudgetQuestion
  /** Whether all chosen customers are listed. */
  readonly isFull: boolean
  readonly onDraw: (done: number, total: number) => void
}

/** Answers whom to treat with a budget, from everybody at risk on the day. */
export async function reportBudget(database: Database, request: BudgetRequest): Promise<BudgetReport> {
  const { asked, question, version, isFull } = request
  const treatments = await findTreatments(database, {
    ...request,
    ...question,
    isChecked: true,
    onInitiative: request.onDraw,
  })
  const answer = answerBudget(treatments, { amount: question.amount, seed: request.seed })
  const { filled, offers } = answer
  const { program } = asked
  const evidence = weakestEvidence(treatments, offers)
  const listed = isFull ? filled.chosen : filled.chosen.subarray(0, mostListed)
  const report = {
    name: question.name,
    program: program.name,
    date: treatments.day.date,
    model_version: version,
    currency: program.currency,
    unit: offers.isMoney ? 'money' : 'outcome',
    counted: countedWords(treatments, program),
    outcome: treatments.kind.kind === 'outcome' ? treatments.kind.outcome : null,
    risk: { outcome: treatments.risk.outcome, first: treatments.risk.isDesired ? 'least' : 'highest' },
    ...evidence,
    customers: treatments.scope.customers,
    offered: answer.offered,
    worth_treating: filled.worthTreating,
    amount: question.amount,
    treated: filled.chosen.length,
    spent: filled.spent / moneyTicks,
    ...gainReport(answer, evidence.evidence),
    most_missed: filled.mostMissed / offers.gainTicks,
    break_even: answer.breakEven,
    curve: answer.curve.map(curveReport),
    initiatives: listTreatments(treatments, answer),
    left_out: listLeftOut(treatments.leftOut),
    chosen: listOffers(treatments, offers, listed),
    assumptions: budgetAssumptions(treatments, {
      ...{ program, filled, asOf: question.asOf },
      listed: listed.length,
    }),
  } as const
  return { ...report, statement: stateBudget(report) }
}

/** An answer is as strong as the weakest of what it stands on: the initiatives that are best for anybody. */
function weakestEvidence(
  { treatments, leftOut }: Treatments,
  offers: Offers,
): { evidence: Evidence; evidence_reason: string } {
  const best = new Set(offers.treatment)
  const [first, ...others] = treatments.filter((_, place) => best.has(place))
  if (first) {
    const weakest = others.reduce(
      (worst, own) => (isWeaker(own.evidence, worst.evidence) ? own : worst),
      first,
    )
    return {
      evidence: weakest.evidence,
      evidence_reason: `${weakest.initiative} was measured: ${weakest.evidenceWords}`,
    }
  }
  const reasons = leftOut.map(({ initiative, reason }) => `${initiative}: ${reason}`)
  return {
    evidence: 'associational',
    evidence_reason: `no initiative can be offered (${reasons.join(' ').replace(/\.$/, '')})`,
  }
}

function gainReport(
  { gain, net, pPositive, filled, offers }: BudgetAnswer,
  evidence: Evidence,
): Pick<BudgetReport, 'money' | 'if_causal' | 'outcome_gain'> {
  const isNobody = filled.chosen.length === 0
  const report: BudgetGain = {
    expected_gain: gain,
    cost: filled.spent / moneyTicks,
    net,
    p_net_positive: evidence === 'associational' || isNobody ? null : pPositive,
    p_net_positive_reason: isNobody ? 'nobody is treated' : priors[evidence],
  }
  if (!offers.isMoney) return { outcome_gain: report }
  return evidence === 'associational' ? { if_causal: report } : { money: report }
}

function curveReport({ customers, byNet, byRisk, atRandom }: CurvePoint): BudgetReport['curve'][number] {
  const point = ({ value, ci80, ci95, spent }: OrderFigure): OrderPoint => ({ spent, value, ci80, ci95 })
  return { customers, by_net: point(byNet), by_risk: byRisk && point(byRisk), at_random: point(atRandom) }
}
