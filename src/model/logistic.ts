import { minimise } from './lbfgs.ts'
import { addRow, dotRow, type LinearDesign } from './linear-design.ts'
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
  const spread = intervals > 1 ? Math.sqrt(options.deviation) : 0
  const totals = countKnown(target.labels, target.rows)
  const shape: Shape = { columns, intervals, spread, ...totals }
  const start = options.start ?? startAtBaseHazard(shape)
  const raw = new Float64Array(intervals * columns)
  const slopes = new Float64Array(intervals * columns)
  const found = minimise(
    (parameters, gradient) => {
      const intercepts = rawWeights(design, shape, { parameters, raw })
      gradient.fill(0)
      slopes.fill(0)
      const loss = addLosses(design, target, { raw, intercepts, slopes, gradient, shape })
      return loss + foldGradient(design, { shape, parameters, gradient, slopes, penalty: options.penalty })
    },
    start,
    { gradientTolerance: 1e-5, valueTolerance: 1e-7, memory: 12 },
  )
  const intercepts = rawWeights(design, shape, { parameters: found.parameters, raw })
  const model: HazardModel = {
    columns,
    intervals,
    weights: Float32Array.from(raw),
    intercepts: Float32Array.from(intercepts),
  }
  return { model, parameters: found.parameters, evaluations: found.evaluations }
}

interface Shape {
  readonly columns: number
  readonly intervals: number
  /** Deviations are stored divided by this, so that one penalty serves all. */
  readonly spread: number
  /** Total weight of known pairs, and of one average pair. */
  readonly total: number
  readonly average: number
  /** Overall hazard. */
  readonly hazard: number
}

/** Parameters: shared weights [columns], deviations [intervals × columns] where they may differ, intercepts. */
function interceptsAt(shape: Shape): number {
  return shape.columns * (shape.spread > 0 ? 1 + shape.intervals : 1)
}

function countKnown(labels: HazardLabels, rows: Int32Array): Pick<Shape, 'total' | 'average' | 'hazard'> {
  let known = 0
  let total = 0
  let happened = 0
  for (const row of rows) {
    for (let at = row * labels.intervals; at < (row + 1) * labels.intervals; at++) {
      if (labels.known[at] === 0) continue
      known++
      total += labels.weight[row]
      if (labels.happened[at] === 1) happened += labels.weight[row]
    }
  }
  const average = known > 0 && total > 0 ? total / known : 1
  return { total: total + average, average, hazard: (happened + average / 2) / (total + average) }
}

function startAtBaseHazard(shape: Shape): Float64Array {
  const parameters = new Float64Array(interceptsAt(shape) + shape.intervals)
  parameters.fill(logit(shape.hazard), interceptsAt(shape))
  return parameters
}

/** Fills `raw` with weights of the raw columns; returns the intercepts that go with them. */
function rawWeights(
  design: LinearDesign,
  shape: Shape,
  { parameters, raw }: { readonly parameters: Float64Array; readonly raw: Float64Array },
): Float64Array {
  const { columns, intervals, spread } = shape
  const intercepts = parameters.slice(interceptsAt(shape))
  for (let j = 0; j < intervals; j++) {
    for (let c = 0; c < columns; c++) {
      const own = spread > 0 ? spread * parameters[(1 + j) * columns + c] : 0
      raw[j * columns + c] = (parameters[c] + own) * design.scale[c]
      intercepts[j] -= raw[j * columns + c] * design.mean[c]
    }
  }
  return intercepts
}

interface Pass {
  readonly raw: Float64Array
  readonly intercepts: Float64Array
  /** Gradient by raw weights, added to. */
  readonly slopes: Float64Array
  /** Gradient by parameters; its intercepts are added to. */
  readonly gradient: Float64Array
  readonly shape: Shape
}

function addLosses(
  design: LinearDesign,
  { labels, rows }: { readonly labels: HazardLabels; readonly rows: Int32Array },
  { raw, intercepts, slopes, gradient, shape }: Pass,
): number {
  const { columns, intervals, total } = shape
  const first = interceptsAt(shape)
  let loss = 0
  for (const row of rows) {
    const weight = labels.weight[row] / total
    for (let j = 0; j < intervals; j++) {
      if (labels.known[row * intervals + j] === 0) continue
      const happened = labels.happened[row * intervals + j]
      const x = intercepts[j] + dotRow(design, row, raw, j * columns)
      // Log loss and sigmoid from one exponential: half of the time goes into it on narrow tables.
      const e = Math.exp(-Math.abs(x))
      loss += weight * (Math.max(x, 0) + Math.log(1 + e) - happened * x)
      const factor = weight * ((x >= 0 ? 1 : e) / (1 + e) - happened)
      gradient[first + j] += factor
      addRow(design, row, { target: slopes, offset: j * columns, factor })
    }
  }
  return loss
}

/** Turns slopes into the gradient by parameters; adds the penalty and the one average row per interval. */
function foldGradient(
  design: LinearDesign,
  fold: {
    readonly shape: Shape
    readonly parameters: Float64Array
    readonly gradient: Float64Array
    readonly slopes: Float64Array
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
      const slope = design.scale[c] * (slopes[j * columns + c] - design.mean[c] * residual)
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

/** Hazards of every row. **Shape** [rows × intervals], each in [1e-6, 1 − 1e-6]. */
export function predictHazards(model: HazardModel, features: Matrix): Float32Array {
  const { columns, intervals, weights, intercepts } = model
  const hazards = new Float32Array(features.rows * intervals)
  for (let row = 0; row < features.rows; row++) {
    for (let j = 0; j < intervals; j++) {
      let x = intercepts[j]
      for (let c = 0; c < columns; c++) x += features.values[row * columns + c] * weights[j * columns + c]
      hazards[row * intervals + j] = clampProbability(sigmoid(x))
    }
  }
  return hazards
}

/** Total log loss of the known (row, interval) pairs of `rows`, and their total weight. */
export function hazardLoss(
  model: HazardModel,
  features: Matrix,
  target: { readonly labels: HazardLabels; readonly rows: Int32Array },
): { loss: number; weight: number } {
  const { columns, intervals, weights, intercepts } = model
  const { labels, rows } = target
  let loss = 0
  let weight = 0
  for (const row of rows) {
    for (let j = 0; j < intervals; j++) {
      if (labels.known[row * intervals + j] === 0) continue
      let x = intercepts[j]
      for (let c = 0; c < columns; c++) x += features.values[row * columns + c] * weights[j * columns + c]
      loss += labels.weight[row] * (softplus(x) - labels.happened[row * intervals + j] * x)
      weight += labels.weight[row]
    }
  }
  return { loss, weight }
}
