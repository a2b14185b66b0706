import { predictionDays } from '../lake/prediction-days.ts'
import { notComparable, recallBehaviour } from '../simulation/known-behaviours.ts'
import { usualDaysInForce } from '../simulation/scenario.ts'
import type { WhatIfSession } from './what-if-session.ts'

export interface PreparationOptions {
  readonly session: WhatIfSession
  /** Where databases spill. */
  readonly scratchFolder: string
  readonly seed: number
  readonly signal: AbortSignal
}

/**
 * Measures what events of each type do, so that nobody who asks about them has to wait for it. Nothing is done for a
 * program that predicts nothing yet.
 */
export async function prepareBehaviours({
  session,
  scratchFolder,
  seed,
  signal,
}: PreparationOptions): Promise<void> {
  const { asked } = await session.current()
  const date = predictionDays(asked.lake).at(-1)
  if (date === undefined) return
  for (const type of asked.predictor.catalogue.eventTypes) {
    const types = [type]
    if (signal.aborted || notComparable(asked, types) !== null) continue
    await session.withWorkplace({ parent: scratchFolder, isKept: false }, async ({ database }) => {
      const stop = () => database.stop()
      signal.addEventListener('abort', stop, { once: true })
      const question = { asked, types, windowDays: usualDaysInForce, date, seed }
      await recallBehaviour(database, question).finally(() => signal.removeEventListener('abort', stop))
    })
  }
}
