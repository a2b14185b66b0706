import { type EncodedView, type Encoder, encode, fitEncoder } from '../src/features/encoder.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import type { BinaryTarget } from '../src/features/piecewise.ts'
import { fitLogistic, type LogisticPenalties } from '../src/model/logistic-member.ts'
import type { LearningSet } from '../src/model/member.ts'
import { fitNetwork } from '../src/model/network-fit.ts'
import { measureLearning, networkSettings } from '../src/model/network-settings.ts'
import type { SeatedMember } from '../src/model/predictor.ts'
import { type Labelled, pickFrame } from './labelled.ts'

const tempers = ['keen', 'cautious'] as const
type Temper = (typeof tempers)[number]

/** What was chosen on held-out data and is used again when members are fitted on more. */
export interface Choices {
  readonly penalties: Readonly<Record<EncodedView, LogisticPenalties>>
  readonly temper: Temper
  /** Epochs the network learned before it stopped getting better. */
  readonly epochs: number
}

export interface Taught {
  readonly encoder: Encoder
  readonly members: readonly SeatedMember[]
  readonly choices: Choices
}

export interface MemberOptions {
  readonly frame: FeatureFrame
  /** Labels to choose and stop by; not learned from. Without it `choices` must be whole. */
  readonly validation?: Labelled
  readonly choices?: Partial<Choices>
  readonly seed: number
  readonly onProgress?: (done: number, note: string) => void
}

/**
 * Fits the encoder and every member on labelled rows: logistic regression on scaled numbers and on their piecewise
 * bins, and the multi-task network.
 */
export async function fitMembers(labelled: Labelled, options: MemberOptions): Promise<Taught> {
  const { frame, validation, choices = {}, seed } = options
  const encoder = fitEncoder(frame, labelled.rows, { targets: binaryTargets(labelled) })
  const sets = {
    plain: learningSet(encoder, labelled, { frame, view: 'plain' }),
    piecewise: learningSet(encoder, labelled, { frame, view: 'piecewise' }),
  }
  const later = validation && {
    plain: learningSet(encoder, validation, { frame, view: 'plain' }),
    piecewise: learningSet(encoder, validation, { frame, view: 'piecewise' }),
  }
  const logistic = (view: EncodedView, done: number) =>
    fitLogistic(sets[view], {
      seed,
      ...(choices.penalties ? { penalties: choices.penalties[view] } : later && { validation: later[view] }),
      onProgress: (share) => options.onProgress?.(done + share / 5, 'logistic regression'),
    })
  const plain = logistic('plain', 0)
  const piecewise = logistic('piecewise', 0.2)
  const network = await teachNetwork(sets.piecewise, { ...options, ...(later && { later: later.piecewise }) })
  return {
    encoder,
    members: [
      { name: 'logistic', member: plain, view: 'plain' },
      { name: 'logistic on bins', member: piecewise, view: 'piecewise' },
      { name: 'network', member: network.member, view: 'piecewise' },
    ],
    choices: {
      penalties: { plain: plain.penalties, piecewise: piecewise.penalties },
      temper: network.temper,
      epochs: network.epochs,
    },
  }
}

/** Tries both temperaments where there are labels to choose by; else learns for the epochs that were chosen. */
async function teachNetwork(set: LearningSet, options: MemberOptions & { later?: LearningSet }) {
  const { later, choices = {}, seed, onProgress } = options
  const size = measureLearning(set)
  const tries = []
  for (const temper of choices.temper ? [choices.temper] : tempers) {
    const settings = networkSettings(size, temper)
    const onEpoch = ({ epoch, epochs }: { epoch: number; epochs: number }) =>
      onProgress?.(0.4 + (0.6 * (tries.length + epoch / epochs)) / 2, `network, epoch ${epoch}`)
    const stop = later ? { validation: later } : { epochs: choices.epochs ?? settings.maxEpochs / 4 }
    const { member, trace } = await fitNetwork(set, { seed, settings, onEpoch, ...stop })
    const loss = Math.min(...trace.progress.map(({ validationLoss }) => validationLoss ?? Infinity))
    tries.push({ member, temper, epochs: Math.max(1, trace.epochs), loss })
  }
  return tries.reduce((best, other) => (other.loss < best.loss ? other : best))
}

/** Encoded features beside their labels. */
export function learningSet(
  encoder: Encoder,
  labelled: Labelled,
  { frame, view }: { frame: FeatureFrame; view: EncodedView },
): LearningSet {
  const { customer, outcomes, answers } = labelled
  return { features: encode(encoder, pickFrame(frame, labelled.rows), view), customer, outcomes, answers }
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
