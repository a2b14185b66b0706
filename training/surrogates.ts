import { expectedAnswer } from '../src/domain/prediction.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import { clampProbability, logit } from '../src/model/logit.ts'
import { distributionOf, Predictor, type PredictorParts } from '../src/model/predictor.ts'
import { SurrogateFitter } from '../src/model/surrogate.ts'
import { pickFrame } from './labelled.ts'

/** More rows would hardly move a surrogate's curves. */
const mostRows = 6_000

type Parts = Pick<PredictorParts, 'encoder' | 'members' | 'outcomes' | 'answers'>

/** Adds to each task with skill an additive stand-in, fitted to what the blend predicts for the rows learned from. */
export function withSurrogates(parts: Parts, learned: FeatureFrame): Parts {
  const step = Math.ceil(learned.rows / mostRows)
  const rows = Int32Array.from({ length: Math.ceil(learned.rows / step) }, (_, index) => index * step)
  const predictor = new Predictor({ ...parts, ...nothingElse })
  const { views, outcomes, answers } = predictor.predict(pickFrame(learned, rows), [0])
  const fitter = new SurrogateFitter(views.of('piecewise'))
  return {
    ...parts,
    outcomes: outcomes.map(({ model, probabilities }) => {
      if (!model.hasSkill) return model
      const last = model.horizonsDays.length - 1
      const logits = Float64Array.from(rows, (_, row) =>
        logit(clampProbability(probabilities[row * model.horizonsDays.length + last])),
      )
      return { ...model, surrogate: fitter.fit(logits) }
    }),
    answers:
      answers?.model.hasSkill && parts.answers
        ? {
            ...parts.answers,
            surrogate: fitter.fit(
              Float64Array.from(rows, (_, row) =>
                expectedAnswer(distributionOf(answers.distributions[0], row)),
              ),
            ),
          }
        : parts.answers,
  }
}

/** What predicting needs none of. */
const nothingElse = {
  catalogue: {} as PredictorParts['catalogue'],
  excluded: [],
  skipped: {},
}
