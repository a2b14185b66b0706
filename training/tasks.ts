import type { Outcome, Program } from '../src/domain/program.ts'
import { cutIntervals } from '../src/outcomes/labels.ts'
import type { Dataset } from './dataset.ts'

/** An outcome with enough labels, and for how many of the horizons. */
export interface OutcomeTaskPlan {
  readonly outcome: Outcome
  /** Index into the dataset's outcomes. */
  readonly index: number
  /** Leading horizons that can be learned. */
  readonly intervals: number
}

/** Why something is not predicted. */
export interface Skipped {
  readonly code: 'never_occurs' | 'not_observed' | 'too_few_outcomes' | 'too_few_responses' | 'no_responses'
  /** A sentence that says what is missing. */
  readonly words: string
}

export interface TaskPlan {
  readonly outcomes: readonly OutcomeTaskPlan[]
  readonly hasAnswers: boolean
  /** Task, or task and horizon such as `churn_60`, → why not. */
  readonly skipped: Readonly<Record<string, Skipped>>
}

export const fewestOutcomes = 30
export const fewestResponses = 50

/** Decides from the labels known by as-of which tasks can be learned. */
export function planTasks(program: Program, dataset: Dataset): TaskPlan {
  const outcomes: OutcomeTaskPlan[] = []
  const skipped: Record<string, Skipped> = {}
  for (const outcome of program.outcomes) {
    const index = dataset.outcomes.findIndex((days) => days.outcome.name === outcome.name)
    const counts = index < 0 ? [] : countLabels(dataset, index, program.horizonsDays)
    const problem = outcomeProblem(outcome, counts)
    if (problem) {
      skipped[outcome.name] = problem
      continue
    }
    let intervals = 1
    while (intervals < counts.length && counts[intervals].observed >= 50 && counts[intervals].known >= 20)
      intervals++
    outcomes.push({ outcome, index, intervals })
    for (const horizon of program.horizonsDays.slice(intervals)) {
      const words = `Not enough labels are known ${horizon} days ahead: observation ends earlier, or nothing happened so late.`
      skipped[`${outcome.name}_${horizon}`] = { code: 'not_observed', words }
    }
  }
  const responses = new Set(dataset.answers?.answer).size
  if (responses === 0) skipped.nps = { code: 'no_responses', words: 'There are no NPS answers.' }
  else if (responses < fewestResponses) {
    const words = `${responses} NPS answers are known; at least ${fewestResponses} are needed: ${fewestResponses - responses} are missing.`
    skipped.nps = { code: 'too_few_responses', words }
  }
  return { outcomes, hasAnswers: responses >= fewestResponses, skipped }
}

interface LabelCount {
  /** Rows still event-free at the interval's start whose interval is known to its end. */
  readonly known: number
  /** Rows whose horizon is known to its end, also where the event fell earlier. */
  readonly observed: number
  readonly customersHappened: number
  readonly customersQuiet: number
}

function countLabels(dataset: Dataset, index: number, horizonsDays: readonly number[]): LabelCount[] {
  const censored = Float64Array.from(dataset.isPopulation, (isPopulation) => (isPopulation ? Infinity : -1))
  const labels = cutIntervals(dataset.outcomes[index], horizonsDays, censored)
  return horizonsDays.map((_, j) => {
    const happened = new Set<number>()
    const quiet = new Set<number>()
    let known = 0
    let observed = 0
    for (let row = 0; row < dataset.customer.length; row++) {
      const at = row * horizonsDays.length + j
      if (labels.observed[row] > j) observed++
      if (!labels.known[at]) continue
      known++
      ;(labels.happened[at] ? happened : quiet).add(dataset.customer[row])
    }
    return { known, observed, customersHappened: happened.size, customersQuiet: quiet.size }
  })
}

function outcomeProblem(outcome: Outcome, counts: readonly LabelCount[]): Skipped | null {
  const types = outcome.eventTypes.join(', ')
  if (counts.length === 0)
    return { code: 'never_occurs', words: `No source ever supplied an event of type ${types}.` }
  const { known, customersHappened, customersQuiet } = counts[0]
  if (known === 0)
    return {
      code: 'not_observed',
      words: `No customer was observed for the whole first horizon of ${outcome.name}.`,
    }
  if (customersHappened === 0)
    return { code: 'never_occurs', words: `No event of type ${types} lies in an observed horizon.` }
  const fewer = Math.min(customersHappened, customersQuiet)
  if (fewer >= fewestOutcomes) return null
  const side = customersHappened < customersQuiet ? `with ${types}` : `without ${types}`
  return {
    code: 'too_few_outcomes',
    words: `${fewer} customers ${side} within the first horizon are known; at least ${fewestOutcomes} are needed: ${fewestOutcomes - fewer} are missing.`,
  }
}
