import { join } from 'node:path'
import { type Day, epochDay } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { whileLocked } from '../src/lake/lock.ts'
import { type Fitter, openFitter } from '../src/model/fitter.ts'
import type { PredictorParts } from '../src/model/predictor.ts'
import { Registry } from '../src/model/registry.ts'
import { storePredictor } from '../src/model/stored-predictor.ts'
import { type Card, makeCard } from './card.ts'
import { cardMarkdown } from './card-markdown.ts'
import { type GateVerdict, judgeGate } from './gate.ts'
import { type Learned, learn } from './learn.ts'
import { excludedNames, type Prepared, prepare, type TrainOptions } from './prepare.ts'
import { type Split, splitRows } from './splits.ts'

export interface TrainReport {
  readonly program: string
  readonly version: string
  readonly asOf: Day
  readonly promoted: boolean
  /** Why it was promoted or not. */
  readonly reason: string
  readonly card: Card
  /** True where at least one task can be predicted. */
  readonly canPredict: boolean
}

/** Fits, calibrates, evaluates and publishes a version; promotes it only through the gate. */
export async function train(program: Program, options: TrainOptions): Promise<TrainReport> {
  const prepared = await prepare(program, options)
  const { dataset, tasks, asOf } = prepared
  const days = { asOf: epochDay(asOf), horizonsDays: program.horizonsDays }
  const split = splitRows(dataset, days)
  const canPredict = tasks.outcomes.length > 0 || tasks.hasAnswers
  const onProgress = (done: number, note: string) =>
    options.reporter.progress({ phase: 'train', done: Math.round(done * 1000), total: 1000, note })
  const learned = canPredict
    ? await withFitter((fitter) =>
        learn({ ...prepared, ...days, split, seed: options.seed, fitter, onProgress }),
      )
    : null
  const { card, verdict } = await publish(program, { options, prepared, split, learned })
  const { version } = card
  return {
    program: program.name,
    version,
    asOf,
    promoted: verdict.isPassed,
    reason: verdict.reason,
    card,
    canPredict,
  }
}

async function withFitter<T>(work: (fitter: Fitter) => Promise<T>): Promise<T> {
  const fitter = await openFitter()
  try {
    return await work(fitter)
  } finally {
    await fitter.close()
  }
}

interface Published {
  readonly options: TrainOptions
  readonly prepared: Prepared
  readonly split: Split
  readonly learned: Learned | null
}

/** Gives what was learned a version of its own, and lets it serve if the gate does. */
async function publish(
  program: Program,
  { options, prepared, split, learned }: Published,
): Promise<{ card: Card; verdict: GateVerdict }> {
  const registry = new Registry(options.modelsFolder, program.name)
  const parts: PredictorParts = {
    catalogue: prepared.dataset.catalogue,
    excluded: excludedNames(prepared),
    skipped: prepared.tasks.skipped,
    ...(learned?.parts ?? { encoder: { encodings: [] }, members: [], outcomes: [], answers: null }),
  }
  return whileLocked(join(options.modelsFolder, program.name), options, async () => {
    const stored = storePredictor(parts)
    const equal = await registry.findEqual(prepared.asOf, stored)
    const version = equal ?? (await registry.nextVersion(prepared.asOf))
    const card = makeCard({ program, version, prepared, split, learned, parts, options })
    if (equal === null)
      await registry.publish(version, {
        ...stored,
        'card.json': `${JSON.stringify(card, null, 1)}\n`,
        'card.md': cardMarkdown(card),
      })
    const verdict = await judgeGate(registry, card)
    if (verdict.isPassed && (await registry.champion()) !== version)
      await registry.promote(version, { at: options.now, reason: verdict.reason })
    return { card, verdict }
  })
}
