import { type EncodedView, type Encoder, encode, rawCategories } from '../src/features/encoder.ts'
import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import { fitEncoder } from '../src/features/fit-encoder.ts'
import type { BinaryTarget } from '../src/features/piecewise.ts'
import type { Fitter } from '../src/model/fitter.ts'
import type { LogisticPenalties } from '../src/model/logistic-member.ts'
import type { ByTask, LearningSet } from '../src/model/member.ts'
import { measureLearning, networkSettings } from '../src/model/network-settings.ts'
import type { SeatedMember } from '../src/model/predictor.ts'
import type { TreeChoice } from '../src/model/trees-member.ts'
import type { Labelled } from './labelled.ts'

const tempers = ['keen', 'cautious'] as const
type Temper = (typeof tempers)[number]

/** What was chosen on held-out data and is used again when members are fitted on more. */
export interface Choices {
  readonly penalties: LogisticPenalties
  readonly temper: Temper
  /** Epochs the network learned before it stopped getting better. */
  readonly epochs: number
  readonly trees: ByTask<TreeChoice>
}

export interface Taught {
  readonly encoder: Encoder
  readonly members: readonly SeatedMember[]
  readonly choices: Choices
}

export interface MemberOptions {
  readonly frame: FeatureFrame
  readonly fitter: Fitter
  /** Labels to choose and stop by; not learned from. Without it `choices` must be whole. */
  readonly validation?: Labelled
  readonly choices?: Partial<Choices>
  readonly seed: number
  readonly onProgress?: (done: number, note: string) => void
}

/**
 * Fits the encoder and every member on labelled rows: logistic regression on scaled numbers, the multi-task network on
 * these and their piecewise bins, and boosted trees on raw columns. Members learn side by side.
 */
export async function fitMembers(labelled: Labelled, options: MemberOptions): Promise<Taught> {
  const { frame, validation, choices = {}, seed } = options
  const encoder = fitEncoder(frame, labelled.rows, { targets: binaryTargets(labelled) })
  const setsOf = (rows: Labelled) => {
    const picked = pickFrame(frame, rows.rows)
    return {
      plain: learningSet(encoder, rows, { picked, view: 'plain' }),
      piecewise: learningSet(encoder, rows, { picked, view: 'piecewise' }),
      raw: learningSet(encoder, rows, { picked, view: 'raw' }),
    }
  }
  const sets = setsOf(labelled)
  const later = validation && setsOf(validation)
  const share = shareProgress(options.onProgress)
  const { penalties, trees: treeChoices } = choices
  const [network, trees, logistic] = await Promise.all([
    teachNetwork(sets.piecewise, { ...options, ...(later && { later: later.piecewise }) }, share),
    options.fitter.trees(
      sets.raw,
      {
        seed,
        categories: rawCategories(encoder),
        ...(later && { validation: later.raw }),
        ...(treeChoices && { chosen: treeChoices }),
      },
      share('trees', 3),
    ),
    options.fitter.logistic(
      sets.plain,
      { seed, ...(penalties ? { chosen: penalties } : later && { validation: later.plain }) },
      share('logistic regression', 2),
    ),
  ])
  return {
    encoder,
    members: [
      { name: 'logistic', member: logistic, view: 'plain' },
      { name: 'network', member: network.member, view: 'piecewise' },
      { name: 'trees', member: trees, view: 'raw' },
    ],
    choices: {
      penalties: logistic.penalties,
      temper: network.temper,
      epochs: network.epochs,
      trees: trees.choices,
    },
  }
}

type ShareProgress = (note: string, weight: number) => (done: number) => void

/** Adds the shares of fits that go on side by side up to one, each by its weight. */
function shareProgress(onProgress: MemberOptions['onProgress']): ShareProgress {
  const parts: { readonly weight: number; done: number }[] = []
  return (note, weight) => {
    const part = { weight, done: 0 }
    parts.push(part)
    return (done) => {
      part.done = done
      const sum = (value: (one: typeof part) => number) => parts.reduce((total, one) => total + value(one), 0)
      onProgress?.(sum((one) => one.weight * one.done) / sum((one) => one.weight), note)
    }
  }
}

/** Tries both temperaments where there are labels to choose by; else learns for the epochs that were chosen. */
async function teachNetwork(
  set: LearningSet,
  options: MemberOptions & { later?: LearningSet },
  share: ShareProgress,
) {
  const { later, choices = {}, seed, fitter } = options
  const size = measureLearning(set)
  const fits = (choices.temper ? [choices.temper] : tempers).map(async (temper) => {
    const settings = networkSettings(size, temper)
    const stop = later ? { validation: later } : { epochs: choices.epochs ?? settings.maxEpochs / 4 }
    const told = share(`${temper} network`, 4)
    const { member, trace } = await fitter.network(set, { seed, settings, ...stop }, told)
    told(1)
    const loss = Math.min(...trace.progress.map(({ validationLoss }) => validationLoss ?? Infinity))
    return { member, temper, epochs: Math.max(1, trace.epochs), loss }
  })
  return (await Promise.all(fits)).reduce((best, other) => (other.loss < best.loss ? other : best))
}

/** Encoded features beside their labels. @param picked the features of the labelled rows */
export function learningSet(
  encoder: Encoder,
  labelled: Labelled,
  { picked, view }: { picked: FeatureFrame; view: EncodedView },
): LearningSet {
  const { customer, outcomes, answers } = labelled
  return { features: encode(encoder, picked, view), customer, outcomes, answers }
}

/** What the bins should tell apart: every outcome's first interval, detractors and promoters. */
function binaryTargets(labelled: Labelled): BinaryTarget[] {
  const targets: BinaryTarget[] = labelled.outcomes.map(({ happened, known, intervals }) => ({
    label: labelled.rows.map((_, place) => happened[place * intervals]),
    weight: labelled.rows.map((_, place) => known[place * intervals]),
  }))
  const { answers } = labelled
  if (answers === null) return targets
  for (const isClass of [(score: number) => score <= 6, (score: number) => score >= 9]) {
    const label = new Float32Array(labelled.rows.length)
    const weight = new Float32Array(labelled.rows.length)
    for (let i = 0; i < answers.row.length; i++) {
      weight[answers.row[i]] = 1
      label[answers.row[i]] = isClass(answers.score[i]) ? 1 : 0
    }
    targets.push({ label, weight })
  }
  return targets
}
