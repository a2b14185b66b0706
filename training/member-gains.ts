import { EncodedViews } from '../src/features/encoded-views.ts'
import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import { answerLogLosses } from '../src/model/answer-metrics.ts'
import { meanOf } from '../src/model/metrics.ts'
import { answerDistributions, type PredictorParts } from '../src/model/predictor.ts'
import { type Blended, type BlendedOptions, fitBlended } from './blended.ts'
import { eventLogLikelihoods } from './evaluation.ts'
import type { HeldOut } from './held-out.ts'

/** Task → something of it. */
type ByName = Readonly<Record<string, number>>

/**
 * What each member adds: log loss (nats a row, or an answer) of the others alone, blended and calibrated anew, less
 * that of all together. Above 0: it helps. **Shape** [members]
 *
 * @param calibrated held-out predictions to blend and calibrate on. @param test others to judge by.
 */
export function measureMemberGains(
  { blended, calibrated, test }: { blended: Blended; calibrated: HeldOut; test: HeldOut },
  options: BlendedOptions,
): ByName[] {
  const whole = lossesOf(blended, test)
  return calibrated.hazards.map((_, member) => {
    const others = fitBlended(withoutMember(calibrated, member), options)
    const losses = lossesOf(others, withoutMember(test, member))
    return Object.fromEntries(Object.entries(losses).map(([task, loss]) => [task, loss - whole[task]]))
  })
}

function withoutMember({ labelled, hazards, answers }: HeldOut, member: number): HeldOut {
  const isOther = (_: unknown, index: number) => index !== member
  return { labelled, hazards: hazards.filter(isOther), answers: answers.filter(isOther) }
}

function lossesOf({ outcomes, answers }: Blended, test: HeldOut): ByName {
  const losses: Record<string, number> = {}
  for (const [index, model] of outcomes.entries()) {
    const { values } = eventLogLikelihoods(model, test, index)
    if (values.length > 0) losses[model.name] = -meanOf(values)
  }
  const given = test.labelled.answers
  if (answers && given && given.score.length > 0) {
    const distributions = answerDistributions(answers, given.score.length, test.answers)
    losses.nps = meanOf(answerLogLosses({ distributions, score: given.score }))
  }
  return losses
}

/** Enough to time, a moment's work. */
const mostTimedRows = 4096

/**
 * Microseconds that each member takes to predict a row, encoding apart: every task, answers of today and of each
 * horizon. Null where the stopwatch stands still. **Shape** [members]
 *
 * @param stopwatch milliseconds since some moment.
 */
export function timeMembers(
  { encoder, members }: Pick<PredictorParts, 'encoder' | 'members'>,
  { frame, leads, stopwatch }: { frame: FeatureFrame; leads: number; stopwatch: () => number },
): (number | null)[] {
  const rows = Int32Array.from({ length: Math.min(mostTimedRows, frame.rows) }, (_, row) => row)
  if (rows.length === 0) return members.map(() => null)
  const views = new EncodedViews(encoder, pickFrame(frame, rows))
  const days = Array.from({ length: leads }, (_, lead) => new Float32Array(rows.length).fill(30 * lead))
  return members.map(({ member, view }) => {
    const features = views.of(view)
    // The first time compiles.
    member.predict(features, days)
    const started = stopwatch()
    member.predict(features, days)
    const milliseconds = stopwatch() - started
    return milliseconds > 0 ? (1000 * milliseconds) / rows.length : null
  })
}
