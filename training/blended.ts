import { blendAnswers, blendHazards, fitAnswerBlend, fitOutcomeBlend } from '../src/model/blend.ts'
import { applyAnswerCalibrator, fitAnswerCalibrator, fitHazardCalibrator } from '../src/model/calibrator.ts'
import { fitConformal } from '../src/model/conformal.ts'
import { type AnswerLabels, answerCount } from '../src/model/member.ts'
import type { AnswerModel, OutcomeModel } from '../src/model/predictor.ts'
import { baseAnswers, expectedHazards } from './base-rates.ts'
import type { Dataset } from './dataset.ts'
import { type HeldOut, hazardsOf } from './held-out.ts'
import type { Labelled } from './labelled.ts'
import { chooseHalfLife, weighByAge } from './recency.ts'
import type { OutcomeTaskPlan, TaskPlan } from './tasks.ts'

/** Blend, calibrators and conformal levels learned on predictions that members had not learned from. */
export interface Blended {
  readonly outcomes: readonly OutcomeModel[]
  readonly answers: AnswerModel | null
}

export interface BlendedOptions {
  readonly tasks: TaskPlan
  readonly horizonsDays: readonly number[]
  /** All labels that were known: base rates are theirs. */
  readonly known: Labelled
  /** Day of each dataset row. */
  readonly dataset: Pick<Dataset, 'cutoff'>
  readonly seed: number
}

/** Learns how to blend and correct members. Skill is taken for granted until the evaluation says otherwise. */
export function fitBlended(heldOut: HeldOut, options: BlendedOptions): Blended {
  const { labelled } = heldOut
  const outcomes = options.tasks.outcomes.map((_, index) => fitOutcomeModel(heldOut, index, options))
  const answers = labelled.answers === null ? null : fitAnswerModel(heldOut, labelled.answers, options)
  return { outcomes, answers }
}

function fitOutcomeModel(heldOut: HeldOut, index: number, options: BlendedOptions): OutcomeModel {
  const { tasks, horizonsDays, known, dataset, seed } = options
  const { intervals } = tasks.outcomes[index]
  const { labelled } = heldOut
  const { customer } = labelled
  const hazards = hazardsOf(heldOut, index)
  const cutoff = labelled.rows.map((row) => dataset.cutoff[row])
  const plain = labelled.outcomes[index]
  const even = blendHazards(hazards, new Array(hazards.length).fill(1 / hazards.length), intervals)
  const halfLifeDays = chooseHalfLife({ hazards: even, labels: plain, cutoff, customer })
  const labels = { ...plain, weight: Float32Array.from(weighByAge(cutoff, halfLifeDays)) }
  const weights = fitOutcomeBlend(hazards, labels, { customer })
  const blended = blendHazards(hazards, weights, intervals)
  const described = describeOutcome(tasks.outcomes[index], horizonsDays)
  const dated = {
    labels: known.outcomes[index],
    cutoff: known.rows.map((row) => dataset.cutoff[row]),
    horizonsDays: described.horizonsDays,
  }
  return {
    ...described,
    baseHazards: expectedHazards(dated),
    weights,
    calibrator: fitHazardCalibrator(blended, labels, { customer, seed }),
    halfLifeDays: Number.isFinite(halfLifeDays) ? halfLifeDays : null,
  }
}

/** What a model of an outcome says of itself before anything is learned. Skill is taken for granted. */
export function describeOutcome({ outcome, intervals }: OutcomeTaskPlan, horizonsDays: readonly number[]) {
  return {
    name: outcome.name,
    horizonsDays: horizonsDays.slice(0, intervals),
    isAbsence: outcome.kind === 'absence',
    hasSkill: true,
    surrogate: null,
  }
}

/** Blend, correction and conformal levels of the answers. */
export function fitAnswerModel(
  heldOut: HeldOut,
  labels: AnswerLabels,
  { known, seed }: Pick<BlendedOptions, 'known' | 'seed'>,
): AnswerModel {
  const weights = fitAnswerBlend(heldOut.answers, labels, { customer: answerCustomers(heldOut.labelled) })
  const blended = blendAnswers(heldOut.answers, weights)
  const calibrator = fitAnswerCalibrator(blended, labels, {
    customer: answerCustomers(heldOut.labelled),
    seed,
  })
  const corrected = applyAnswerCalibrator(calibrator, blended)
  return {
    hasSkill: true,
    base: baseAnswers(known.answers ?? labels),
    weights,
    calibrator,
    conformal: fitConformal(...answersOfToday(corrected, labels)),
    surrogate: null,
  }
}

/** Customer of each answer. */
export function answerCustomers({ answers, customer }: Labelled): Int32Array {
  return Int32Array.from(answers?.row ?? [], (row) => customer[row])
}

/** Only the uses without a lead: intervals are promised for an answer given today. */
function answersOfToday(
  distributions: Float32Array,
  labels: AnswerLabels,
): [Float32Array, Pick<AnswerLabels, 'score' | 'weight'>] {
  const today = Array.from(labels.leadDays.keys()).filter((i) => labels.leadDays[i] === 0)
  const used = today.length > 0 ? today : Array.from(labels.leadDays.keys())
  const picked = new Float32Array(used.length * answerCount)
  used.forEach((i, place) => {
    picked.set(distributions.subarray(i * answerCount, (i + 1) * answerCount), place * answerCount)
  })
  return [
    picked,
    { score: Uint8Array.from(used, (i) => labels.score[i]), weight: new Float32Array(used.length).fill(1) },
  ]
}
