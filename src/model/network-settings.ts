import type { LearningSet } from './member.ts'

/** How a network is built and taught. */
export interface NetworkSettings {
  /** Sub-networks whose probabilities are averaged: k. */
  readonly members: number
  /** Hidden units of a member: h. */
  readonly width: number
  /** Hidden layers, the first one included. */
  readonly layers: number
  /** Share of hidden units silenced in each step, 0 to below 1. */
  readonly dropout: number
  /** Learning rate of AdamW, per step. */
  readonly rate: number
  /** Weights shrink by rate × this in every step; biases and adapters don't. */
  readonly weightDecay: number
  /** Rows of a step. */
  readonly batchRows: number
  /** Steps over which the rate climbs from 0. */
  readonly warmUpSteps: number
  /** Share of the past in the running mean of the weights, which is what predicts. */
  readonly averaging: number
  /** Most rows of an epoch: on larger data an epoch is a part of a pass, so that stopping can be early. */
  readonly epochRows: number
  /** Epochs after which learning stops in any case. */
  readonly maxEpochs: number
  /** Epochs without a better validation loss after which learning stops. */
  readonly patience: number
}

/** How much there is to learn from. */
export interface LearningSize {
  readonly rows: number
  /** Features of a row. */
  readonly columns: number
  /** Known events plus answers: what limits how much can be learned. */
  readonly signals: number
}

/** Row visits of one fit: about two minutes on one WASM thread at 100 features. */
const mostRowVisits = 1_500_000
/** Rows between two looks at the validation loss: large data can stop within a pass. */
const mostEpochRows = 50_000

/** Steps without a better validation loss after which learning stops, in epochs from 3 to 8. */
const patientSteps = 320

/** Counts what there is to learn from. */
export function measureLearning(learning: LearningSet): LearningSize {
  let signals = learning.answers?.row.length ?? 0
  for (const { happened, known } of learning.outcomes) {
    for (let label = 0; label < known.length; label++) if (known[label] === 1) signals += happened[label]
  }
  return { rows: learning.features.rows, columns: learning.features.columns, signals }
}

/**
 * Settings for an amount of data.
 *
 * @param temper `keen` learns sharp, non-linear structure; `cautious` is for noisy, near-linear data, where
 * `keen` overfits while labels are few. Which one suits a table only its validation loss tells: try both.
 */
export function networkSettings(size: LearningSize, temper: 'keen' | 'cautious' = 'keen'): NetworkSettings {
  const isSmall = size.signals < 2_000
  const epochRows = Math.min(size.rows, mostEpochRows)
  // Small data deserve more steps an epoch, so that stopping is fine-grained.
  const batchRows = Math.min(256, Math.max(32, 32 * Math.round(size.rows / 640)))
  const common = {
    // Measured on online_retail and telco: four lose nothing against eight and take half the time.
    members: isSmall ? 8 : 4,
    batchRows,
    warmUpSteps: 100,
    averaging: 0.98,
    epochRows,
    maxEpochs: Math.max(3, Math.min(120, Math.round(mostRowVisits / epochRows))),
    patience: Math.max(3, Math.min(8, Math.round(patientSteps / (epochRows / batchRows)))),
  }
  const width = size.signals < 200 ? 32 : 64
  return temper === 'keen'
    ? {
        ...common,
        width,
        layers: isSmall ? 3 : 2,
        dropout: 0.15,
        rate: isSmall ? 0.006 : 0.004,
        weightDecay: 0.02,
      }
    : { ...common, width: isSmall ? 32 : 64, layers: 2, dropout: 0.45, rate: 0.002, weightDecay: 0.2 }
}
