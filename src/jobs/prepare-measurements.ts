import { LoyalcastError } from '../domain/errors.ts'
import type { Database } from '../lake/database.ts'
import { predictionDays } from '../lake/prediction-days.ts'
import { recallInitiative } from '../simulation/initiative-effects.ts'
import { notComparable, recallBehaviour } from '../simulation/known-behaviours.ts'
import { initiativesOf } from '../simulation/question.ts'
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
 * Measures what events of each type and initiatives do, so that nobody who asks about them has to wait for it. Nothing is
 * done for a program that predicts nothing yet.
 */
export async function prepareMeasurements({
  session,
  scratchFolder,
  seed,
  signal,
}: PreparationOptions): Promise<void> {
  const { asked } = await session.current()
  const date = predictionDays(asked.lake).at(-1)
  if (date === undefined) return
  const types = asked.predictor.catalogue.eventTypes.filter((type) => notComparable(asked, [type]) === null)
  const question = { asked, date, seed, windowDays: usualDaysInForce }
  const works = [
    ...initiativesOf(asked).map((initiative) => (database: Database) => {
      const measured = recallInitiative(database, { ...question, initiative, arm: null })
      return measured.catch(ignoreRefusal)
    }),
    ...types.map((type) => (database: Database) => recallBehaviour(database, { ...question, types: [type] })),
  ]
  for (const work of works) {
    if (signal.aborted) return
    const place = { parent: scratchFolder, isKept: false, signal }
    await session.withWorkplace(place, async (workplace) => void (await work(workplace.free())))
  }
}

/** An initiative with one arm, or with several of which none is asked for, cannot be measured yet. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof LoyalcastError) || error.kind !== 'usage') throw error
}
