import { blendHazards } from '../src/model/blend.ts'
import { mapByTask } from '../src/model/single-task.ts'
import { type Blended, type BlendedOptions, fitBlended } from './blended.ts'
import { crossFit, type HeldOut, hazardsOf, predictHeldOut } from './held-out.ts'
import type { Labelled } from './labelled.ts'
import { type Choices, fitMembers, type MemberOptions, type Taught } from './members.ts'
import { missedLevels } from './recency.ts'
import { type Block, joinBlocks, type Split } from './splits.ts'

type TeachOptions = Pick<MemberOptions, 'frame' | 'fitter' | 'seed' | 'onProgress'>

/** What is said of the two later blocks by members that had not learned from them. */
export interface LaterForecast {
  /** Of settings and sizes, made on the first of the two; on the second where levels move. */
  readonly choices: Choices
  /** Of the calibration block, or cross-fitted beside the test block where there is none. */
  readonly heldOut: HeldOut
  /** Blended and calibrated on `heldOut`. */
  readonly firstBlend: Blended
  /** Of each outcome, whether the level that was learned is not that of the first block. */
  readonly hasMoved: readonly boolean[]
  /** Who forecast the test block. */
  readonly latest: Taught
  readonly tested: HeldOut
}

type LaterOptions = Omit<BlendedOptions, 'known'> &
  TeachOptions & {
    /** The fit block. */
    readonly learned: Labelled
    readonly label: (block: Block) => Labelled
  }

/**
 * Forecasts the calibration block from the fit block, and the test block from the fit block or, where levels move, from
 * all that came before it. Where they move, what was best on rows of long ago need not be so for those that serve:
 * settings and sizes are chosen once more, on the test block.
 */
export async function forecastLater(split: Split, options: LaterOptions): Promise<LaterForecast> {
  const { learned, label, frame, onProgress } = options
  const step = (from: number, share: number) => (done: number, note: string) =>
    onProgress?.(from + share * done, note)
  const calibrate = split.calibrate && label(split.calibrate)
  const { taught, heldOut } = await teach(learned, calibrate, { ...options, onProgress: step(0, 0.6) })
  const known = split.calibrate ? label(joinBlocks(split.fit, split.calibrate)) : learned
  const firstBlend = fitBlended(heldOut, { ...options, known })
  const hasMoved = firstBlend.outcomes.map(
    (_, index) => split.calibrate !== null && levelMoves(firstBlend, heldOut, index),
  )
  const isMoving = hasMoved.includes(true)
  const latest = isMoving
    ? await refit(known, taught.choices, { ...options, onProgress: step(0.6, 0.1) })
    : taught
  const tested = predictHeldOut(latest, label(split.test), frame)
  const { choices } = isMoving
    ? await fitMembers(known, { ...options, validation: tested.labelled, onProgress: step(0.7, 0.3) })
    : taught
  return { choices, heldOut, firstBlend, hasMoved, latest, tested }
}

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
  const taught = await refit(fit, choices, { ...options, onProgress: onProgress(0.8, 0.2) })
  return { taught: { ...taught, choices }, heldOut }
}

/** Logits by which a level is off that is worth learning anew for. */
const leastMove = 0.2

/** Whether the level of an outcome that was learned is not that of the block that came next. */
function levelMoves({ outcomes }: Blended, heldOut: HeldOut, index: number): boolean {
  const { weights, horizonsDays } = outcomes[index]
  const blended = blendHazards(hazardsOf(heldOut, index), weights, horizonsDays.length)
  const missed = missedLevels(heldOut.labelled.outcomes[index], blended)
  return missed.some((logits) => Math.abs(logits) >= leastMove)
}

/**
 * The same members learned from more rows. Before the test rows that is done where levels move: members that have not
 * seen the latest labels, as those that serve will have, misjudge how far forecasts may reach.
 */
export function refit(known: Labelled, choices: Choices, options: TeachOptions): Promise<Taught> {
  // More rows bear a little more learning.
  const longer = mapByTask(choices.trees, (choice) => ({ ...choice, rounds: 1.05 * choice.rounds }))
  return fitMembers(known, {
    ...options,
    choices: { ...choices, epochs: 1.05 * choices.epochs, trees: longer },
  })
}
