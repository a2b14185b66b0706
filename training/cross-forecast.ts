import { foldsByCustomer } from '../src/model/folds.ts'
import { answerCount } from '../src/model/member.ts'
import { answerDistributions, outcomeProbabilities } from '../src/model/predictor.ts'
import { baseHazards } from './base-rates.ts'
import { type BlendedOptions, fitBlended } from './blended.ts'
import { answersAt, foldCount, type HeldOut, hazardsOf, pickHeldOut, scatterRows } from './held-out.ts'
import type { Labelled } from './labelled.ts'

/** What the model says and what the base rate says. **Shape** both alike. */
export interface Forecasts {
  readonly model: Float64Array
  readonly base: Float64Array
}

/** Held-out rows, each forecast by what was blended and calibrated on the rows of other customers. */
export interface CrossForecast {
  readonly labelled: Labelled
  /** One an outcome, [rows × intervals]: probability by the end of each interval. */
  readonly outcomes: readonly Forecasts[]
  /** [uses of answers × 11] */
  readonly answers: Forecasts | null
}

/**
 * Forecasts for telling whether there is skill in what members say of later data, whatever the level then was: blend,
 * calibrators and base rates all come from other customers of the same days.
 *
 * @returns null where there are fewer than two customers.
 */
export function crossForecast(heldOut: HeldOut, options: BlendedOptions): CrossForecast | null {
  const { labelled } = heldOut
  const folds = foldsByCustomer(labelled.customer, foldCount(labelled.rows.length), options.seed)
  if (folds.length === 0) return null
  const outcomes = labelled.outcomes.map(({ happened }) => blank(happened.length))
  const answers = labelled.answers && blank(labelled.answers.row.length * answerCount)
  for (const { train, test } of folds) {
    const others = pickHeldOut(heldOut, train)
    const blended = fitBlended(others, options)
    const own = pickHeldOut(heldOut, test)
    for (const [index, blend] of blended.outcomes.entries()) {
      // Of these days alone: what members learned from may lie at another level.
      const model = { ...blend, baseHazards: baseHazards(others.labelled.outcomes[index]) }
      const width = labelled.outcomes[index].intervals
      for (const [who, hasSkill] of speakers) {
        const values = outcomeProbabilities({ ...model, hasSkill }, test.length, hazardsOf(own, index))
        scatterRows(outcomes[index][who], test, { values, width })
      }
    }
    const uses = own.labelled.answers?.row.length ?? 0
    if (answers === null || blended.answers === null || uses === 0) continue
    for (const [who, hasSkill] of speakers) {
      const values = answerDistributions({ ...blended.answers, hasSkill }, uses, own.answers)
      scatterRows(answers[who], answersAt(labelled, test), { values, width: answerCount })
    }
  }
  return { labelled, outcomes, answers }
}

const speakers = [
  ['model', true],
  ['base', false],
] as const

function blank(length: number): Forecasts {
  return { model: new Float64Array(length), base: new Float64Array(length) }
}
