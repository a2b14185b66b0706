import { usageError } from '../domain/errors.ts'
import { milderChange } from './milder.ts'
import type { Change, Scenario } from './scenario.ts'
import { answerChanges, besideComparison, type ScenarioAnswer } from './what-if.ts'
import type { ScenarioRequest, Workplace } from './workplace.ts'

/** An answer at a share of a scenario's strength. */
export interface StrengthAnswer {
  /** 0: nothing is changed; 1: the scenario as asked. */
  readonly strength: number
  readonly changes: readonly Change[]
  readonly answer: ScenarioAnswer
}

/** Answers a scenario at even steps of its strength, from nothing to all, on the same people and draws. */
export async function sweepScenario(
  workplace: Workplace,
  request: ScenarioRequest,
  { lever, steps }: { lever: number | null; steps: number },
): Promise<StrengthAnswer[]> {
  const answerAt = await openStrengths(workplace, request, lever)
  const answers: StrengthAnswer[] = []
  for (let step = 0; step <= steps; step++) answers.push(await answerAt(step / steps))
  return answers
}

/** What was found of a goal. */
export interface GoalAnswer {
  readonly isReached: boolean
  /** The mildest that reaches it; where none does, the one that comes nearest of those within what is known. */
  readonly nearest: StrengthAnswer
  /** As it is. */
  readonly baseline: number
  /** What the figure would be at `nearest`. */
  readonly value: number
}

/** Bisections of the strength: to a 64th of it. */
const bisections = 6

/**
 * The mildest strength of a scenario that brings a figure to a target within what is known, or that none does.
 *
 * @param figure `nps_<days>` or `<outcome>_<horizon>`, a probability. **Errors** `scenario` for an unknown figure.
 */
export async function seekGoal(
  workplace: Workplace,
  request: ScenarioRequest,
  { lever, figure, target }: { lever: number | null; figure: string; target: number },
): Promise<GoalAnswer> {
  const ask = await openStrengths(workplace, request, lever)
  const compared = await ask(1)
  // What could not be compared is sought by the forecasts alone, at every strength.
  const isCompared = figure in figuresOf(compared.answer, 'scenario')
  const answerAt: AnswerAt = (strength) => ask(strength, isCompared)
  const full = isCompared ? compared : await answerAt(1)
  const baseline = figureAt(full.answer, 'baseline', figure)
  const isUp = target >= baseline
  const reaches = ({ answer }: StrengthAnswer) => {
    const value = figureAt(answer, 'scenario', figure)
    return isUp ? value >= target : value <= target
  }
  const isInside = ({ answer }: StrengthAnswer) => !answer.support.refused
  const farthest = isInside(full) ? full : await bisect(answerAt, await answerAt(0), isInside)
  if (!reaches(farthest))
    return {
      isReached: false,
      nearest: farthest,
      baseline,
      value: figureAt(farthest.answer, 'scenario', figure),
    }
  const found = await mildest(answerAt, farthest, reaches)
  return { isReached: true, nearest: found, baseline, value: figureAt(found.answer, 'scenario', figure) }
}

/** @param isCompared whether days with and without are compared, where they can be. Default: yes. */
type AnswerAt = (strength: number, isCompared?: boolean) => Promise<StrengthAnswer>

/** The strongest that holds, between nothing, which does, and all, which does not. */
async function bisect(
  answerAt: AnswerAt,
  nothing: StrengthAnswer,
  holds: (answer: StrengthAnswer) => boolean,
): Promise<StrengthAnswer> {
  let best = nothing
  for (let step = 1; step <= bisections; step++) {
    const tried = await answerAt(best.strength + 2 ** -step)
    if (holds(tried)) best = tried
  }
  return best
}

/** The mildest that reaches the goal, given one that does. */
async function mildest(
  answerAt: AnswerAt,
  reaching: StrengthAnswer,
  reaches: (answer: StrengthAnswer) => boolean,
): Promise<StrengthAnswer> {
  let best = reaching
  let short = 0
  for (let step = 0; step < bisections; step++) {
    const tried = await answerAt((best.strength + short) / 2)
    if (reaches(tried)) best = tried
    else short = tried.strength
  }
  return best
}

/** A population that is opened once and asked at any strength of its changes, or of one of them. */
async function openStrengths(
  workplace: Workplace,
  request: ScenarioRequest,
  lever: number | null,
): Promise<AnswerAt> {
  const { setting, opened } = await workplace.open(request)
  const { database } = workplace
  return async (strength, isCompared = true) => {
    const changes = changesAt(setting.scenario, lever, strength)
    const own = { ...setting, scenario: { ...setting.scenario, changes } }
    const answer = await answerChanges(database, own, opened)
    if (!isCompared) return { strength, changes, answer }
    return { strength, changes, answer: await besideComparison(database, own, { opened, answer }) }
  }
}

function changesAt({ changes }: Scenario, lever: number | null, strength: number): readonly Change[] {
  return changes.map((change, place) =>
    lever === null || place === lever ? (milderChange(change, strength) as Change) : change,
  )
}

function figureAt(answer: ScenarioAnswer, part: 'baseline' | 'scenario', figure: string): number {
  const found = figuresOf(answer, part)
  if (figure in found) return found[figure]
  throw usageError(
    'scenario',
    `The question cannot be used:\n- goal.figure: found ${figure}; allowed: ${Object.keys(found).join(', ')}.`,
  )
}

/** `nps_<days>` and `<outcome>_<horizon>` → value. */
function figuresOf({ figures }: ScenarioAnswer, part: 'baseline' | 'scenario'): Record<string, number> {
  const { nps, outcomes } = figures[part]
  return Object.fromEntries([
    ...Object.entries(nps).map(([days, { value }]) => [`nps_${days}`, value] as const),
    ...Object.entries(outcomes).map(([name, { rate }]) => [name, rate] as const),
  ])
}
