import { blendHazards, fitOutcomeBlend } from '../src/model/blend.ts'
import { foldsByCustomer } from '../src/model/folds.ts'
import { fitPlatt } from '../src/model/hazard-correction.ts'
import { unitsOfInterval } from '../src/model/level.ts'
import { answerCount } from '../src/model/member.ts'
import { answerDistributions, type OutcomeModel, outcomeProbabilities } from '../src/model/predictor.ts'
import { baseHazards } from './base-rates.ts'
import { type BlendedOptions, describeOutcome, fitAnswerModel } from './blended.ts'
import { answersAt, foldCount, type HeldOut, hazardsOf, pickHeldOut, scatterRows } from './held-out.ts'
import type { Labelled } from './labelled.ts'

/** What the model and the base rate say. **Shape** both alike. */
export interface Forecasts {
  readonly model: Float64Array
  readonly base: Float64Array
}

type CrossOptions = Omit<BlendedOptions, 'known' | 'dataset'>

/** Held-out rows, each forecast by what was blended and calibrated on the rows of other customers. */
export interface CrossForecast {
  readonly labelled: Labelled
  /** Rows with the same number were forecast by the same others. [rows] */
  readonly fold: Int32Array
  /** One an outcome, [rows × intervals]: probability by the end of each interval. */
  readonly outcomes: readonly Forecasts[]
  /** [uses of answers × 11] */
  readonly answers: Forecasts | null
}

/**
 * Forecasts for telling whether there is skill in what members say of later data, whatever the level then was: blend,
 * level, spread and base rates all come from other customers of the same days. What the model says is drawn halfway to
 * the base rate: whether it tells anything shows there most clearly, how far it may reach is for calibration.
 *
 * Source: Chong & Hendry (1986), forecast encompassing.
 * @returns null where there are fewer than two customers.
 */
export function crossForecast(heldOut: HeldOut, options: CrossOptions): CrossForecast | null {
  const { labelled } = heldOut
  const folds = foldsByCustomer(labelled.customer, foldCount(labelled.rows.length), options.seed)
  if (folds.length === 0) return null
  const outcomes = labelled.outcomes.map(({ happened }) => blank(happened.length))
  const answers = labelled.answers && blank(labelled.answers.row.length * answerCount)
  const fold = new Int32Array(labelled.rows.length)
  for (const [number, { train, test }] of folds.entries()) {
    for (const row of test) fold[row] = number
    const others = pickHeldOut(heldOut, train)
    const own = pickHeldOut(heldOut, test)
    for (const [index, { intervals }] of labelled.outcomes.entries()) {
      const model = fitOutcome(others, index, options)
      for (const [who, hasSkill] of speakers) {
        const values = outcomeProbabilities({ ...model, hasSkill }, test.length, hazardsOf(own, index))
        scatterRows(outcomes[index][who], test, { values, width: intervals })
      }
    }
    const uses = own.labelled.answers?.row.length ?? 0
    if (answers === null || others.labelled.answers === null || uses === 0) continue
    const model = fitAnswerModel(others, others.labelled.answers, {
      known: others.labelled,
      seed: options.seed,
    })
    for (const [who, hasSkill] of speakers) {
      const values = answerDistributions({ ...model, hasSkill }, uses, own.answers)
      scatterRows(answers[who], answersAt(labelled, test), { values, width: answerCount })
    }
  }
  return { labelled, fold, outcomes: outcomes.map(drawHalfway), answers: answers && drawHalfway(answers) }
}

function drawHalfway({ model, base }: Forecasts): Forecasts {
  return { model: model.map((said, at) => (said + base[at]) / 2), base }
}

/** Level and spread are corrected whatever they are: what is chosen of few events hides what members know. */
function fitOutcome(others: HeldOut, index: number, { tasks, horizonsDays }: CrossOptions): OutcomeModel {
  const described = describeOutcome(tasks.outcomes[index], horizonsDays)
  const labels = others.labelled.outcomes[index]
  const hazards = hazardsOf(others, index)
  const weights = fitOutcomeBlend(hazards, labels, { customer: others.labelled.customer })
  const blended = blendHazards(hazards, weights, labels.intervals)
  return {
    ...described,
    baseHazards: baseHazards(labels),
    weights,
    calibrator: described.horizonsDays.map((_, interval) =>
      fitPlatt(unitsOfInterval(labels, blended, interval)),
    ),
  }
}

const speakers = [
  ['model', true],
  ['base', false],
] as const

function blank(length: number): Forecasts {
  return { model: new Float64Array(length), base: new Float64Array(length) }
}
