import { minimise, type Objective } from './lbfgs.ts'
import { lossAtOwnLevel } from './level.ts'
import {
  addRows,
  blocksOf,
  everyRow,
  type LinearDesign,
  multiplyDenseRows,
  multiplyRows,
} from './linear-design.ts'
import { clampProbability, logit, sigmoid, softplus } from './logit.ts'
import type { Matrix } from './matrix.ts'
import type { HazardLabels } from './member.ts'

/** Logit of an outcome's hazard in interval j = intercepts[j] + x · weights[j], on raw feature columns. */
export interface HazardModel {
  readonly columns: number
  readonly intervals: number
  /** [intervals × columns] */
  readonly weights: Float32Array
  /** [intervals] */
  readonly intercepts: Float32Array
}

export interface HazardFitOptions {
  readonly penalty: number
  /**
   * Prior variance of an interval's own deviation from the shared weights, as a share of theirs. 0: one set of
   * weights for all intervals.
   */
  readonly deviation: number
  /** Parameters of an earlier fit of the same shape to start from. */
  readonly start?: Float64Array
  /** Stop once a step lowers the loss by less than this share of it. Default 1e-7. */
  readonly tolerance?: number
}

export interface HazardFit {
  readonly model: HazardModel
  /** To start the next fit from. */
  readonly parameters: Float64Array
  readonly evaluations: number
}

/**
 * L2-regularised, weighted logistic regression of discrete-time hazards, all intervals at once.
 *
 * Minimises mean log loss over the known (row, interval) pairs of `rows` + penalty / 2 × |weights|², where weights
 * are those of standardised columns: shared ones plus, per interval, a deviation that is shrunk harder. Being a
 * mean, the penalty means the same for any number of rows and any scale of the row weights; scikit-learn's
 * C = 1 / (penalty × rows). Intercepts are not penalised, but each interval sees one average row more that
 * happened at the outcome's overall hazard, so that an interval without events stays finite.
 *
 * Source: Singer & Willett (1993), It's about time: discrete-time survival analysis.
 */
export function fitHazards(
  design: LinearDesign,
  target: { readonly labels: HazardLabels; readonly rows: Int32Array },
  options: HazardFitOptions,
): HazardFit {
  const { columns } = design.features
  const { intervals } = target.labels
  const atRisk = Array.from({ length: intervals }, (_, interval) => listAtRisk(target, interval))
  const total = atRisk.reduce((sum, { weight }) => sum + sumOf(weight), 0)
  const happened = atRisk.reduce((sum, { weight, happened }) => sum + dotProduct(weight, happened), 0)
  const pairs = atRisk.reduce((sum, { rows }) => sum + rows.length, 0)
  const average = total > 0 ? total / pairs : 1
  const shape: Shape = {
    columns,
    intervals,
    spread: intervals > 1 ? Math.sqrt(options.deviation) : 0,
    total: total + average,
    average,
    hazard: (happened + average / 2) / (total + average),
  }
  const found = minimise(
    hazardObjective(design, atRisk, { shape, penalty: options.penalty }),
    options.start ?? startAtBaseHazard(shape),
    { gradientTolerance: 1e-5, valueTolerance: options.tolerance ?? 1e-7, memory: 12 },
  )
  const raw = emptyWeights(shape)
  const intercepts = rawWeights(design, shape, { parameters: found.parameters, raw })
  const weights = new Float32Array(intervals * columns)
  raw.forEach((own, j) => {
    weights.set(own, j * columns)
  })
  const model: HazardModel = { columns, intervals, weights, intercepts: Float32Array.from(intercepts) }
  return { model, parameters: found.parameters, evaluations: found.evaluations }
}

/** The rows of which one interval is known. **Shape** all [known rows]. */
interface AtRisk {
  readonly rows: Int32Array
  readonly happened: Float64Array
  readonly weight: Float64Array
  /** Work space: logits, then residuals. */
  readonly work: Float64Array
}

function listAtRisk(
  { labels, rows }: { readonly labels: HazardLabels; readonly rows: Int32Array },
  interval: number,
): AtRisk {
  const known = rows.filter((row) => labels.known[row * labels.intervals + interval] === 1)
  return {
    rows: known,
    happened: Float64Array.from(known, (row) => labels.happened[row * labels.intervals + interval]),
    weight: Float64Array.from(known, (row) => labels.weight[row]),
    work: new Float64Array(known.length),
  }
}

interface Shape {
  readonly columns: number
  readonly intervals: number
  /** Deviations are stored divided by this, so that one penalty serves all. */
  readonly spread: number
  /** Weight of all known pairs and the average row. */
  readonly total: number
  /** Weight of an average pair. */
  readonly average: number
  /** Overall hazard. */
  readonly hazard: number
}

/** Parameters: shared weights [columns], deviations [intervals × columns] where they may differ, intercepts. */
function interceptsAt(shape: Shape): number {
  return shape.columns * (shape.spread > 0 ? 1 + shape.intervals : 1)
}

function startAtBaseHazard(shape: Shape): Float64Array {
  const parameters = new Float64Array(interceptsAt(shape) + shape.intervals)
  parameters.fill(logit(shape.hazard), interceptsAt(shape))
  return parameters
}

function emptyWeights({ columns, intervals }: Shape): Float64Array[] {
  return Array.from({ length: intervals }, () => new Float64Array(columns))
}

function hazardObjective(
  design: LinearDesign,
  atRisk: readonly AtRisk[],
  { shape, penalty }: { readonly shape: Shape; readonly penalty: number },
): Objective {
  const raw = emptyWeights(shape)
  const slopes = emptyWeights(shape)
  return (parameters, gradient) => {
    const intercepts = rawWeights(design, shape, { parameters, raw })
    gradient.fill(0)
    let loss = 0
    atRisk.forEach((known, j) => {
      multiplyRows(design, known.rows, { weights: raw[j], out: known.work })
      const pass = replaceByResiduals(known, intercepts[j], 1 / shape.total)
      addRows(design, known.rows, { factors: known.work, target: slopes[j].fill(0) })
      loss += pass.loss
      gradient[interceptsAt(shape) + j] = pass.residual
    })
    return loss + foldGradient(design, { shape, parameters, gradient, slopes, penalty })
  }
}

/** Fills `raw` with weights of the raw columns; returns the intercepts that go with them. */
function rawWeights(
  design: LinearDesign,
  shape: Shape,
  { parameters, raw }: { readonly parameters: Float64Array; readonly raw: readonly Float64Array[] },
): Float64Array {
  const { columns, intervals, spread } = shape
  const intercepts = parameters.slice(interceptsAt(shape))
  for (let j = 0; j < intervals; j++) {
    for (let c = 0; c < columns; c++) {
      const own = spread > 0 ? spread * parameters[(1 + j) * columns + c] : 0
      raw[j][c] = (parameters[c] + own) * design.scale[c]
      intercepts[j] -= raw[j][c] * design.mean[c]
    }
  }
  return intercepts
}

/** Turns the logits in `work` into weighted residuals; returns their sum and the log loss. */
function replaceByResiduals(
  { happened, weight, work }: AtRisk,
  intercept: number,
  scale: number,
): { loss: number; residual: number } {
  let loss = 0
  let residual = 0
  for (let i = 0; i < work.length; i++) {
    const x = work[i] + intercept
    // Log loss and sigmoid from one exponential: on narrow tables half of the time goes into it.
    const e = Math.exp(-Math.abs(x))
    loss += weight[i] * (Math.max(x, 0) + Math.log(1 + e) - happened[i] * x)
    work[i] = scale * weight[i] * ((x >= 0 ? 1 : e) / (1 + e) - happened[i])
    residual += work[i]
  }
  return { loss: scale * loss, residual }
}

/** Turns slopes into the gradient by parameters; adds the penalty and the one average row per interval. */
function foldGradient(
  design: LinearDesign,
  fold: {
    readonly shape: Shape
    readonly parameters: Float64Array
    readonly gradient: Float64Array
    readonly slopes: readonly Float64Array[]
    readonly penalty: number
  },
): number {
  const { shape, parameters, gradient, slopes, penalty } = fold
  const { columns, intervals, spread } = shape
  const first = interceptsAt(shape)
  let extra = 0
  for (let j = 0; j < intervals; j++) {
    const residual = gradient[first + j]
    for (let c = 0; c < columns; c++) {
      const slope = design.scale[c] * (slopes[j][c] - design.mean[c] * residual)
      gradient[c] += slope
      if (spread > 0) gradient[(1 + j) * columns + c] = spread * slope
    }
    const share = shape.average / shape.total / intervals
    const x = parameters[first + j]
    extra += share * (softplus(x) - shape.hazard * x)
    gradient[first + j] += share * (sigmoid(x) - shape.hazard)
  }
  for (let p = 0; p < first; p++) {
    extra += (penalty / 2) * parameters[p] ** 2
    gradient[p] += penalty * parameters[p]
  }
  return extra
}

/**
 * Hazards of every row, or of some: those of others are 0.
 *
 * **Shape** [rows × intervals], each in [1e-6, 1 − 1e-6].
 */
export function predictHazards(
  model: HazardModel,
  features: Matrix,
  rows: Int32Array = everyRow(features),
): Float32Array {
  const { columns, intervals, weights, intercepts } = model
  const hazards = new Float32Array(features.rows * intervals)
  const byInterval = Array.from(intercepts, (_, j) =>
    Float64Array.from(weights.subarray(j * columns, (j + 1) * columns)),
  )
  for (const block of blocksOf(rows)) {
    for (let j = 0; j < intervals; j++) {
      const logits = multiplyDenseRows(features, block, { weights: byInterval[j] })
      for (let i = 0; i < block.length; i++)
        hazards[block[i] * intervals + j] = clampProbability(sigmoid(intercepts[j] + logits[i]))
    }
  }
  return hazards
}

/** Total log loss of the known (row, interval) pairs of `rows` at their own level, and their total weight. */
export function hazardLoss(
  model: HazardModel,
  features: Matrix,
  { labels, rows }: { readonly labels: HazardLabels; readonly rows: Int32Array },
): { loss: number; weight: number } {
  const weight = new Float32Array(features.rows)
  let total = 0
  for (const row of rows) {
    weight[row] = labels.weight[row]
    for (let j = 0; j < labels.intervals; j++) total += weight[row] * labels.known[row * labels.intervals + j]
  }
  const loss = lossAtOwnLevel({ ...labels, weight }, predictHazards(model, features, rows))
  return { loss, weight: total }
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function dotProduct(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0)
}
