import type { SegmentSignals } from '../src/domain/segment.ts'
import { pickFrame } from '../src/features/features.ts'
import type { Fitter } from '../src/model/fitter.ts'
import type { GroupError } from '../src/model/group-forecast.ts'
import type { Member } from '../src/model/member.ts'
import type { PredictorParts } from '../src/model/predictor.ts'
import { mapByTask } from '../src/model/single-task.ts'
import { type AnswerEvaluation, evaluateAnswers } from './answer-evaluation.ts'
import { type Blended, fitBlended } from './blended.ts'
import type { Dataset } from './dataset.ts'
import { evaluateOutcome, type OutcomeEvaluation } from './evaluation.ts'
import { measureGroupErrors } from './group-errors.ts'
import { crossFit, type HeldOut, joinHeldOut, predictHeldOut } from './held-out.ts'
import { type Labelled, labelBlock } from './labelled.ts'
import { measureMemberGains } from './member-gains.ts'
import { type Choices, fitMembers, type Taught } from './members.ts'
import { judgeEverybody, type NonResponse } from './non-response.ts'
import type { PopulationDrivers } from './population-drivers.ts'
import { atLevelOf, holdLevels } from './recency.ts'
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
  const test = label(split.test)
  const step = (from: number, share: number) => (done: number, note: string) =>
    onProgress(from + share * done, note)

  const later = split.calibrate && label(split.calibrate)
  const { taught, heldOut } = await teach(fit, later, { frame, fitter, seed, onProgress: step(0, 0.7) })
  const tested = predictHeldOut(taught, test, frame)
  const firstBlend = fitBlended(heldOut, blending)
  const sides = { blended: firstBlend, calibrated: heldOut, test: tested }
  const judged = judge({ ...blending, ...sides })
  const gains = measureMemberGains(sides, blending)
  const outcomeErrors = measureGroupErrors(withSkill(firstBlend, judged), tested, options)
  const { signals } = options
  const segments = evaluateSegments({ taught, blended: firstBlend, test, dataset, signals, seed })

  const known = label(whole)
  const refitted = await fitMembers(known, {
    frame,
    fitter,
    seed,
    choices: refitChoices(taught.choices),
    onProgress: step(0.7, 0.3),
  })
  const blended = withSkill(fitBlended(joinHeldOut(heldOut, tested), blending), judged)
  const propensity = weighed.get(options.asOf)?.propensity ?? null
  const held = [heldOut, tested]
  const everybody =
    blended.answers &&
    (await judgeEverybody(blended.answers, { ...options, taught, refitted, held, test, propensity }))
  const levelled = {
    outcomes:
      split.testFrom === null
        ? blended.outcomes
        : holdLevels(blended.outcomes, tested, predictHeldOut(refitted, test, frame)),
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

type TeachOptions = Pick<Parameters<typeof fitMembers>[1], 'frame' | 'fitter' | 'seed' | 'onProgress'>

/** Members on one block, held-out predictions on the next one, or beside it where there is none. */
function teach(fit: Labelled, later: Labelled | null, options: TeachOptions) {
  return later ? learnForward(fit, later, options) : learnCrossFitted(fit, options)
}

/** Members on one block, held-out predictions on the next one. */
async function learnForward(
  fit: Labelled,
  later: Labelled,
  options: TeachOptions,
): Promise<{ taught: Taught; heldOut: HeldOut }> {
  const taught = await fitMembers(fit, { ...options, validation: later })
  return { taught, heldOut: predictHeldOut(taught, later, options.frame) }
}

/** Too little time for a block of its own: held-out predictions are cross-fitted by customer. */
async function learnCrossFitted(
  fit: Labelled,
  options: TeachOptions,
): Promise<{ taught: Taught; heldOut: HeldOut }> {
  const onProgress = (from: number, share: number) => (done: number, note: string) =>
    options.onProgress?.(from + share * done, note)
  const { heldOut, choices } = await crossFit(fit, {
    ...options,
    choices: {},
    onProgress: onProgress(0, 0.8),
  })
  const taught = await fitMembers(fit, {
    ...options,
    choices: refitChoices(choices),
    onProgress: onProgress(0.8, 0.2),
  })
  return { taught: { ...taught, choices }, heldOut }
}

/** More rows bear a little more learning. */
function refitChoices(choices: Choices): Choices {
  return {
    ...choices,
    epochs: 1.05 * choices.epochs,
    trees: mapByTask(choices.trees, (choice) => ({ ...choice, rounds: 1.05 * choice.rounds })),
  }
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
  const { dataset, tasks, split, learned, blended, calibrated, test, seed } = options
  // Predictions that were cross-fitted beside a later block are none for later data.
  const exchanged = split.kind === 'forward-cross-fitted' ? null : fitBlended(test, options)
  const levelled = exchanged && atLevelOf(exchanged.outcomes, calibrated)
  const sideOf = <Model>(model: Model) => ({ model, test })
  const otherSideOf = <Model>(model: Model | null | undefined) => (model ? { model, test: calibrated } : null)
  return {
    outcomes: tasks.outcomes.map((task, index) =>
      evaluateOutcome({
        ...sideOf(blended.outcomes[index]),
        exchanged: otherSideOf(levelled?.[index]),
        task,
        index,
        learned,
        dataset,
        seed,
      }),
    ),
    answers:
      blended.answers &&
      evaluateAnswers({
        ...sideOf(blended.answers),
        exchanged: otherSideOf(exchanged?.answers),
        learned,
        dataset,
        seed,
      }),
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
