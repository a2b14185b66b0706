import type { Catalogue } from '../features/catalogue.ts'
import { EncodedViews } from '../features/encoded-views.ts'
import type { EncodedView, Encoder } from '../features/encoder.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { Aliases } from './behaviours.ts'
import { blendAnswers, blendHazards, cumulativeFromHazards } from './blend.ts'
import {
  type AnswerCalibrator,
  applyAnswerCalibrator,
  applyHazardCalibrator,
  type HazardCalibrator,
} from './calibrator.ts'
import type { ConformalLevels } from './conformal.ts'
import { clampProbability, logit, sigmoid } from './logit.ts'
import { answerCount, longestLeadDays, type Member, type MemberOutput } from './member.ts'
import type { Surrogate } from './surrogate.ts'

/** A member and the view of the encoded features it was fitted on. */
export interface SeatedMember {
  readonly name: string
  readonly member: Member
  readonly view: EncodedView
}

/** What was learned about one outcome beyond the members. */
export interface OutcomeModel {
  readonly name: string
  /** The horizons that could be learned, ascending. */
  readonly horizonsDays: readonly number[]
  /** True where the outcome is that none of the events happens. */
  readonly isAbsence: boolean
  /** Without skill on later data the base rate is served. */
  readonly hasSkill: boolean
  /** Hazard of each interval over everybody. */
  readonly baseHazards: readonly number[]
  /** Share of each member, summing to 1. */
  readonly weights: readonly number[]
  readonly calibrator: HazardCalibrator
  /** Days in which a label came to count half as much for blend and calibrator; null: all counted alike. */
  readonly halfLifeDays?: number | null
  /** What is added to the calibrated logit of each interval, so that refitted members keep the level. Absent: nothing. */
  readonly levels?: readonly number[]
  /** Explains the logit of the outcome's probability at the longest horizon; null: not yet fitted. */
  readonly surrogate: Surrogate | null
}

/** What was learned about survey answers beyond the members. */
export interface AnswerModel {
  readonly hasSkill: boolean
  /** Distribution of all answers, 0 to 10. */
  readonly base: readonly number[]
  readonly weights: readonly number[]
  readonly calibrator: AnswerCalibrator
  readonly conformal: ConformalLevels
  /** Explains the expected answer given today, in points. */
  readonly surrogate: Surrogate | null
  /** Moves the level of everybody at each lead; the nearest lead's counts. Absent: nowhere. */
  readonly levels?: readonly AnswerLevel[]
}

/** What is added to the cumulative logits of every customer's answer: higher means less pleased. */
export interface AnswerLevel {
  readonly leadDays: number
  readonly intercept: number
}

export interface PredictorParts {
  readonly catalogue: Catalogue
  /** Leaks that were left out, such as `observed_until`. */
  readonly excluded: readonly string[]
  readonly encoder: Encoder
  /** Which features drivers count to another behaviour than their own. Absent: none. */
  readonly aliases?: Aliases
  readonly members: readonly SeatedMember[]
  readonly outcomes: readonly OutcomeModel[]
  readonly answers: AnswerModel | null
  /** Task, or task and horizon such as `churn_60`, → why it is not predicted. */
  readonly skipped: Readonly<Record<string, { readonly code: string; readonly words: string }>>
}

/** **Shape** `probabilities`: [rows × horizons] of the outcome itself, row after row. */
export interface OutcomePredictions {
  readonly model: OutcomeModel
  readonly probabilities: Float64Array
}

/** **Shape** `distributions[lead]`: [rows × 11], each row summing to 1. */
export interface AnswerPredictions {
  readonly model: AnswerModel
  readonly leadsDays: readonly number[]
  readonly distributions: readonly Float64Array[]
}

export interface Predictions {
  readonly rows: number
  /** The features as the members saw them. */
  readonly views: EncodedViews
  readonly outcomes: readonly OutcomePredictions[]
  readonly answers: AnswerPredictions | null
}

/** Encoder, members, blend and calibrators: the one object that turns features into predictions. */
export class Predictor {
  readonly parts: PredictorParts

  constructor(parts: PredictorParts) {
    this.parts = parts
  }

  get catalogue(): Catalogue {
    return this.parts.catalogue
  }

  /**
   * Predicts every row of a frame.
   *
   * @param leadsDays days ahead for which answers are wanted. 0 is today; beyond 90 it is as at 90.
   */
  predict(frame: FeatureFrame, leadsDays: readonly number[]): Predictions {
    return combine(this.#hear(frame, leadsDays))
  }

  /** The same, and what each member would have predicted had it all the weight: how far they differ. */
  predictWithMembers(
    frame: FeatureFrame,
    leadsDays: readonly number[],
  ): { readonly blend: Predictions; readonly members: readonly Predictions[] } {
    const heard = this.#hear(frame, leadsDays)
    return {
      blend: combine(heard),
      members: heard.outputs.map((_, own) => combine({ ...heard, only: own })),
    }
  }

  #hear(frame: FeatureFrame, leadsDays: readonly number[]): Heard {
    const { parts } = this
    const leads = leadsDays.map((days) => new Float32Array(frame.rows).fill(Math.min(days, longestLeadDays)))
    const views = new EncodedViews(parts.encoder, frame)
    const outputs = memberOutputs(parts, views, parts.answers ? leads : [])
    return { parts, views, rows: frame.rows, leadsDays, outputs }
  }
}

/** What the members said about a frame. */
interface Heard {
  readonly parts: PredictorParts
  readonly views: EncodedViews
  readonly rows: number
  readonly leadsDays: readonly number[]
  readonly outputs: readonly MemberOutput[]
}

/** Blends, calibrates and levels what the members said. @param only the member that has all the weight */
function combine({
  parts,
  views,
  rows,
  leadsDays,
  outputs,
  only,
}: Heard & { readonly only?: number }): Predictions {
  const weighted = <Model extends { readonly weights: readonly number[] }>(model: Model): Model =>
    only === undefined || model.weights[only] === 0
      ? model
      : { ...model, weights: model.weights.map((_, member) => (member === only ? 1 : 0)) }
  const outcomes = parts.outcomes.map((model, index) => ({
    model,
    probabilities: outcomeProbabilities(
      weighted(model),
      rows,
      outputs.map((output) => output.hazards[index]),
    ),
  }))
  const { answers } = parts
  if (answers === null) return { rows, views, outcomes, answers: null }
  const distributions = leadsDays.map((days, lead) => {
    const own = outputs.map((output) => output.answers[lead])
    return moveLevel(answers.levels, days, answerDistributions(weighted(answers), rows, own))
  })
  return { rows, views, outcomes, answers: { model: answers, leadsDays, distributions } }
}

/** What each member says, before blending. */
export function memberOutputs(
  { members }: Pick<PredictorParts, 'members'>,
  views: EncodedViews,
  leads: readonly Float32Array[],
): MemberOutput[] {
  if (members.some(({ view }) => view === 'piecewise')) views.of('piecewise')
  return members.map(({ member, view }) => member.predict(views.of(view), leads))
}

/** Probability of an outcome within each horizon, from its members' hazards. */
export function outcomeProbabilities(
  model: Omit<OutcomeModel, 'conformal'>,
  rows: number,
  hazards: readonly ArrayLike<number>[],
): Float64Array {
  const intervals = model.horizonsDays.length
  const calibrated = model.hasSkill ? calibratedHazards(model, hazards) : repeated(model.baseHazards, rows)
  const happened = cumulativeFromHazards(calibrated, intervals)
  return model.isAbsence ? happened.map((p) => 1 - p) : happened
}

/** Hazards of each interval, blended and corrected. **Shape** each and result [rows × intervals] */
export function calibratedHazards(
  { weights, calibrator, levels, horizonsDays }: Omit<OutcomeModel, 'hasSkill'>,
  hazards: readonly ArrayLike<number>[],
): Float32Array {
  const intervals = horizonsDays.length
  const corrected = applyHazardCalibrator(calibrator, blendHazards(hazards, weights, intervals), intervals)
  if (levels === undefined) return corrected
  return corrected.map((hazard, at) => clampProbability(sigmoid(logit(hazard) + levels[at % intervals])))
}

/** Calibrated distribution over the answers 0 to 10 of each row, from its members' distributions. */
export function answerDistributions(
  model: Omit<AnswerModel, 'conformal'>,
  rows: number,
  distributions: readonly ArrayLike<number>[],
): Float64Array {
  if (!model.hasSkill) return repeated(model.base, rows)
  return new Float64Array(applyAnswerCalibrator(model.calibrator, blendAnswers(distributions, model.weights)))
}

/** Distributions of the answer with the level of everybody moved as it is at a lead. **Shape** [rows × 11] → the same */
export function moveLevel(
  levels: readonly AnswerLevel[] | undefined,
  leadDays: number,
  distributions: Float64Array,
): Float64Array {
  if (!levels?.length) return distributions
  const distance = (level: AnswerLevel) => Math.abs(level.leadDays - leadDays)
  const { intercept } = levels.reduce((best, other) => (distance(other) < distance(best) ? other : best))
  return new Float64Array(applyAnswerCalibrator({ kind: 'shift', intercept, slope: 1 }, distributions))
}

function repeated(values: readonly number[], rows: number): Float64Array {
  const all = new Float64Array(rows * values.length)
  for (let row = 0; row < rows; row++) all.set(values, row * values.length)
  return all
}

/** The distribution of one row. **Shape** [11] */
export function distributionOf(distributions: Float64Array, row: number): Float64Array {
  return distributions.subarray(row * answerCount, (row + 1) * answerCount)
}
