import { type EncodedView, type Encoder, encode } from '../features/encoder.ts'
import type { FeatureFrame } from '../features/features.ts'
import { fitEncoder } from '../features/fit-encoder.ts'
import { clusterBootstrap, type Interval } from '../model/bootstrap.ts'
import { chanceSet, crossFitChances } from '../model/cross-fitted-chances.ts'
import type { Fitter } from '../model/fitter.ts'
import type { Matrix } from '../model/matrix.ts'
import { auc } from '../model/metrics.ts'

/** How far what was known before tells who was treated. **Shape** arrays are [customers]. */
export interface TreatmentPropensity {
  /** Chance of being treated, foretold of each customer by a fit without the cluster. */
  readonly chance: Float64Array
  /** Gain in log loss over the arm's share alone. Above 0 beyond chance: chance alone did not decide. */
  readonly gain: Interval
  readonly isTelling: boolean
  readonly auc: number | null
  /** What was known before, as linear fits see it. */
  readonly features: Matrix
  readonly encoder: Encoder
  readonly view: EncodedView
}

export interface PropensityRequest {
  readonly frame: FeatureFrame
  readonly isTreated: Uint8Array
  readonly cluster: Int32Array
  /** Whether features are bent where treatment bends with them: for what was not randomised. */
  readonly isBent: boolean
  readonly seed: number
  readonly fitter: Fitter
}

/** Confounders bend in few places; every bin is a column that each linear fit has to weigh. */
const bends = { mostBins: 6, mostSplits: 80 }

/** Foretells treatment by regularised logistic regression on what was known before. */
export async function fitTreatmentPropensity(request: PropensityRequest): Promise<TreatmentPropensity> {
  const { frame, isTreated, cluster, isBent, seed, fitter } = request
  const rows = Int32Array.from(isTreated.keys())
  const targets = isBent ? [{ label: isTreated, weight: new Uint8Array(rows.length).fill(1) }] : []
  const encoder = fitEncoder(frame, rows, { targets, settings: isBent ? bends : { mostBins: 0 } })
  const view = isBent ? 'piecewise' : 'plain'
  const features = encode(encoder, frame, view)
  const task = { name: 'treated', features, customer: cluster, happened: isTreated }
  const member = await fitter.logistic(chanceSet(task), { seed }, () => {})
  const chance = await crossFitChances(task, { penalties: member.penalties, seed, fitter })
  const share = shareOf(isTreated)
  const gain = clusterBootstrap({
    values: chance.map((p, row) => Math.log(isTreated[row] ? p / share : (1 - p) / (1 - share))),
    cluster,
    seed,
  })
  return {
    chance,
    gain,
    isTelling: gain.low > 0,
    auc: auc({ probability: chance, happened: isTreated, weight: new Float32Array(rows.length).fill(1) }),
    features,
    encoder,
    view,
  }
}

export function shareOf(isTreated: Uint8Array): number {
  return isTreated.reduce((sum, own) => sum + own, 0) / isTreated.length
}

/** Customers like whom there are some in each arm. **Shape** ascending rows */
export function findOverlap(chance: Float64Array, share: number): Int32Array {
  const least = Math.min(0.05, share / 5)
  const most = 1 - Math.min(0.05, (1 - share) / 5)
  return Int32Array.from(chance.keys()).filter((row) => chance[row] >= least && chance[row] <= most)
}
