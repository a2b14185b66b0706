import type { SegmentSignals } from '../src/domain/segment.ts'
import { pickFrame } from '../src/features/features.ts'
import type { Fitter } from '../src/model/fitter.ts'
import type { GroupError } from '../src/model/group-forecast.ts'
import type { HazardLabels, Member } from '../src/model/member.ts'
import type { PredictorParts } from '../src/model/predictor.ts'
import { type AnswerEvaluation, evaluateAnswers } from './answer-evaluation.ts'
import { type Blended, type BlendedOptions, fitBlended } from './blended.ts'
import { carryCorrections } from './carried-corrections.ts'
import { crossForecast } from './cross-forecast.ts'
import type { Dataset } from './dataset.ts'
import { evaluateOutcome, type OutcomeEvaluation } from './evaluation.ts'
import { measureGroupErrors } from './group-errors.ts'
import { type HeldOut, joinHeldOut, predictHeldOut } from './held-out.ts'
import { type Labelled, labelBlock } from './labelled.ts'
import { forecastLater, refit } from './later-forecast.ts'
import { measureMemberGains } from './member-gains.ts'
import type { Taught } from './members.ts'
import { judgeEverybody, type NonResponse } from './non-response.ts'
import type { PopulationDrivers } from './population-drivers.ts'
import { holdLevels } from './recency.ts'
import { weighByDay } from './response-propensity.ts'
import { evaluateSegments, type SegmentEvaluation } from './segment-evaluation.ts'
import { type Split, wholeBlock } from './splits.ts'
import { explainParts } from './surrogates.ts'
import type { TaskPlan } from './tasks.ts'

export interface LearnOptions {
  readonly dataset: Dataset
  /** What segments look at, of every dataset row. */
  readonly signals: readonly SegmentSignals[]
  readonly tasks: TaskPlan
  readonly split: Split
  readonly horizonsDays: readonly number[]
  /** In days since 1970-01-01. */
  readonly asOf: number
  readonly seed: number
  readonly fitter: Fitter
  readonly onProgress: (done: number, note: string) => void
}

/** What a version is published with. */
export interface Learned {
  readonly parts: Pick<PredictorParts, 'encoder' | 'aliases' | 'members' | 'outcomes' | 'answers'>
  /** What moves the forecasts of everybody learned from, by task. */
  readonly drivers: readonly PopulationDrivers[]
  readonly outcomes: readonly OutcomeEvaluation[]
  readonly answers: AnswerEvaluation | null
  readonly segments: readonly SegmentEvaluation[]
  readonly groupErrors: Readonly<Record<string, GroupError>>
  readonly nonResponse: NonResponse | null
  /** For each member of `parts` what it adds to the others: nats of log loss by task. */
  readonly memberGains: readonly Readonly<Record<string, number>>[]
}

/**
 * The recipe, top to bottom: members on the fit block; blend and calibrators on later predictions; judged on the test
 * block; then published: members refitted on all labels known by as-of, blend and calibrators on every prediction
 * that was made for later data.
 */
export async function learn(options: LearnOptions): Promise<Learned> {
  const { dataset, split, seed, fitter, onProgress } = options
  const { frame } = dataset
  const whole = wholeBlock(dataset, options.asOf)
  const blocks = [split.fit, split.calibrate ?? split.test, split.test, whole]
  const days = blocks.map(({ censoredAfter }) => censoredAfter)
  const weighed = await weighByDay(dataset, days, options)
  const label = (block: Split['fit']) =>
    labelBlock(dataset, block, { ...options, answerWeights: weighed.get(block.censoredAfter)?.weights })
  const fit = label(split.fit)
  const blending = { ...options, learned: fit }
  const step = (from: number, share: number) => (done: number, note: string) =>
    onProgress(from + share * done, note)

  const fitting = { frame, fitter, seed }
  const forecast = await forecastLater(split, { ...blending, ...fitting, label, onProgress: step(0, 0.75) })
  const { choices, heldOut, firstBlend, hasMoved, latest, tested } = forecast
  const test = tested.labelled
  const sides = { blended: firstBlend, calibrated: heldOut, test: tested }
  const judged = judge({ ...blending, ...sides })
  const gains = measureMemberGains(sides, { ...options, known: fit })
  const outcomeErrors = measureGroupErrors(withSkill(firstBlend, judged), tested, options)
  const { signals } = options
  const segments = evaluateSegments({ taught: latest, blended: firstBlend, test, dataset, signals, seed })

  const known = label(whole)
  const refitted = await refit(known, choices, { ...fitting, onProgress: step(0.75, 0.25) })
  const blended = withSkill(blendPublished(heldOut, tested, { ...options, known }), judged)
  const propensity = weighed.get(options.asOf)?.propensity ?? null
  const held = [heldOut, tested]
  const everybody =
    blended.answers &&
    (await judgeEverybody(blended.answers, { ...options, taught: latest, refitted, held, test, propensity }))
  const first = firstBlend.outcomes
  const levelOutcomes = () =>
    holdLevels(carryCorrections(blended.outcomes, { first, next: tested, hasMoved }), test, {
      refitted: predictHeldOut(refitted, test, frame),
      hasMoved,
    })
  const levelled = {
    outcomes: split.testFrom === null ? blended.outcomes : levelOutcomes(),
    answers: everybody?.answers ?? null,
  }
  return {
    memberGains: gains.filter((_, index) => isUsed(levelled, index)),
    ...explainParts(withoutIdle(refitted, levelled), pickFrame(frame, known.rows)),
    ...judged,
    segments,
    groupErrors: { ...outcomeErrors, ...everybody?.errors },
    nonResponse: everybody?.nonResponse ?? null,
  }
}

/** Labels of the rarer kind, or answers, that are enough to blend and calibrate by. */
const enoughLater = { events: 200, answers: 500 }

/**
 * Blend and calibrators of what is published, on every prediction that was made for later data. Where predictions had
 * to be cross-fitted beside the test block, they count in tasks alone of which the test block tells too little: they
 * know the customers' own time, and what is learned from it reaches too far in another.
 */
function blendPublished(heldOut: HeldOut, tested: HeldOut, options: LearnOptions & BlendedOptions): Blended {
  const joined = fitBlended(joinHeldOut(heldOut, tested), options)
  if (options.split.kind !== 'forward-cross-fitted') return joined
  const later = fitBlended(tested, options)
  const { outcomes, answers } = tested.labelled
  return {
    outcomes: joined.outcomes.map((model, index) =>
      countRarer(outcomes[index]) >= enoughLater.events ? later.outcomes[index] : model,
    ),
    answers: (answers?.score.length ?? 0) >= enoughLater.answers ? later.answers : joined.answers,
  }
}

function countRarer({ known, happened }: HazardLabels): number {
  const all = known.reduce((sum, one) => sum + one, 0)
  const events = known.reduce((sum, one, at) => sum + (one && happened[at]), 0)
  return Math.min(events, all - events)
}

type Judged = Pick<Learned, 'outcomes' | 'answers'>

interface JudgeOptions extends LearnOptions {
  /** What the members learned from. */
  readonly learned: Labelled
  /** Blended and calibrated on `calibrated`, judged on `test`. */
  readonly blended: Blended
  readonly calibrated: HeldOut
  readonly test: HeldOut
}

function judge(options: JudgeOptions): Judged {
  const { tasks, split, blended, calibrated, test } = options
  // Predictions that were cross-fitted beside a later block are none for later data.
  const later = split.kind === 'forward-cross-fitted' ? test : joinHeldOut(calibrated, test)
  const judged = { ...options, cross: crossForecast(later, options) }
  return {
    outcomes: tasks.outcomes.map((task, index) =>
      evaluateOutcome({ ...judged, model: blended.outcomes[index], task, index }),
    ),
    answers: blended.answers && evaluateAnswers({ ...judged, model: blended.answers }),
  }
}

/** Without skill on later data the base rate is served. */
function withSkill(blended: Blended, judged: Judged): Blended {
  return {
    outcomes: blended.outcomes.map((model, index) => ({
      ...model,
      hasSkill: judged.outcomes[index].hasSkill,
    })),
    answers: blended.answers && { ...blended.answers, hasSkill: judged.answers?.hasSkill ?? false },
  }
}

/** Drops members without weight, and of the others what serves tasks in which they have none. */
function withoutIdle({ encoder, members }: Taught, blended: Blended): Learned['parts'] {
  const keep = <T>(values: readonly T[]) => values.filter((_, index) => isUsed(blended, index))
  const seated = members.map((seat, index) => ({ ...seat, member: onlyUsed(seat.member, blended, index) }))
  return {
    encoder,
    members: keep(seated),
    outcomes: blended.outcomes.map((model) => ({ ...model, weights: keep(model.weights) })),
    answers: blended.answers && { ...blended.answers, weights: keep(blended.answers.weights) },
  }
}

type Weighed = Pick<Blended['outcomes'][number], 'hasSkill' | 'weights'>

function isUsedFor({ hasSkill, weights }: Weighed, member: number): boolean {
  return hasSkill && weights[member] > 0
}

function isUsed({ outcomes, answers }: Blended, member: number): boolean {
  return [...outcomes, ...(answers ? [answers] : [])].some((task) => isUsedFor(task, member))
}

function onlyUsed(member: Member, { outcomes, answers }: Blended, index: number): Member {
  if (member.keepTasks === undefined) return member
  return member.keepTasks({
    outcomes: outcomes.map((task) => isUsedFor(task, index)),
    answers: answers && isUsedFor(answers, index),
  })
}
