import { minimise, type Objective } from './lbfgs.ts'
import { addRows, type LinearDesign, multiplyRows } from './linear-design.ts'
import { logit, logProbabilityBetween } from './logit.ts'
import { answerCount } from './member.ts'
import { type AnswerTarget, leadUnitDays, type OrdinalModel, thresholdCount } from './ordinal-model.ts'

export interface OrdinalFitOptions {
  readonly penalty: number
  /** Prior variance of the drift as a share of the weights'. 0: the lead does not matter. */
  readonly deviation: number
  /** Parameters of an earlier fit of the same shape to start from. */
  readonly start?: Float64Array
  /** Stop once a step lowers the loss by less than this share of it. Default 1e-7. */
  readonly tolerance?: number
}

export interface OrdinalFit {
  readonly model: OrdinalModel
  readonly parameters: Float64Array
  readonly evaluations: number
}

/**
 * L2-regularised, weighted cumulative-logit regression of survey answers 0 to 10.
 *
 * Minimises the mean log loss of the answers + penalty / 2 × |weights of standardised columns|². Thresholds are not
 * penalised, but one average answer spread evenly over 0 to 10 joins in, so that an answer nobody gave keeps a
 * probability above 0. Source: McCullagh (1980), Regression models for ordinal data.
 */
export function fitOrdinal(
  design: LinearDesign,
  target: AnswerTarget,
  options: OrdinalFitOptions,
): OrdinalFit {
  const { columns } = design.features
  const answers = listAnswers(target)
  const hasLead = options.deviation > 0 && answers.lead.some((lead) => lead > 0)
  const shape: Shape = { columns, spread: hasLead ? Math.sqrt(options.deviation) : 0 }
  const found = minimise(
    ordinalObjective(design, answers, { shape, penalty: options.penalty }),
    options.start ?? startAtShares(shape, answers),
    { gradientTolerance: 1e-5, valueTolerance: options.tolerance ?? 1e-7, memory: 12 },
  )
  const raw = rawParameters(design, shape, found.parameters)
  const model: OrdinalModel = {
    columns,
    weights: Float32Array.from(raw.weights),
    drift: Float32Array.from(raw.drift),
    driftIntercept: Math.fround(raw.driftIntercept),
    thresholds: Float32Array.from(raw.thresholds),
  }
  return { model, parameters: found.parameters, evaluations: found.evaluations }
}

interface Shape {
  readonly columns: number
  /** Drift is stored divided by this, so that one penalty serves all. 0 where there is none. */
  readonly spread: number
}

/** **Shape** all [answers]. */
interface Answers {
  readonly rows: Int32Array
  /** In units of 90 days. */
  readonly lead: Float64Array
  readonly score: Uint8Array
  readonly weight: Float64Array
  /** Weight of all answers and the even one. */
  readonly total: number
  readonly average: number
}

function listAnswers({ labels, picks }: AnswerTarget): Answers {
  const weight = Float64Array.from(picks, (pick) => labels.weight[pick])
  const sum = weight.reduce((total, w) => total + w, 0)
  const average = sum > 0 ? sum / picks.length : 1
  return {
    rows: Int32Array.from(picks, (pick) => labels.row[pick]),
    lead: Float64Array.from(picks, (pick) => labels.leadDays[pick] / leadUnitDays),
    score: Uint8Array.from(picks, (pick) => labels.score[pick]),
    weight,
    total: sum + average,
    average,
  }
}

/** Parameters: weights [columns], drift [columns], drift intercept, first threshold, logs of the 9 gaps. */
function thresholdsAt(shape: Shape): number {
  return 2 * shape.columns + 1
}

function startAtShares(shape: Shape, { score, weight, total, average }: Answers): Float64Array {
  const shares = new Float64Array(answerCount).fill(average / answerCount / total)
  score.forEach((answer, i) => {
    shares[answer] += weight[i] / total
  })
  const parameters = new Float64Array(thresholdsAt(shape) + thresholdCount)
  let cumulative = shares[0]
  let before = logit(cumulative)
  parameters[thresholdsAt(shape)] = before
  for (let j = 1; j < thresholdCount; j++) {
    cumulative += shares[j]
    parameters[thresholdsAt(shape) + j] = Math.log(logit(cumulative) - before)
    before = logit(cumulative)
  }
  return parameters
}

interface RawParameters {
  readonly weights: Float64Array
  readonly drift: Float64Array
  readonly driftIntercept: number
  readonly thresholds: Float64Array
}

/** Parameters for raw columns: the mean that standardising takes off moves into thresholds and drift intercept. */
function rawParameters(design: LinearDesign, shape: Shape, parameters: Float64Array): RawParameters {
  const { columns, spread } = shape
  const weights = new Float64Array(columns)
  const drift = new Float64Array(columns)
  let centre = 0
  let driftIntercept = spread > 0 ? parameters[2 * columns] : 0
  for (let c = 0; c < columns; c++) {
    weights[c] = parameters[c] * design.scale[c]
    drift[c] = spread * parameters[columns + c] * design.scale[c]
    centre += weights[c] * design.mean[c]
    driftIntercept -= drift[c] * design.mean[c]
  }
  const thresholds = orderedThresholds(parameters.subarray(thresholdsAt(shape)))
  return { weights, drift, driftIntercept, thresholds: thresholds.map((threshold) => threshold + centre) }
}

function orderedThresholds(stored: Float64Array): Float64Array {
  const thresholds = Float64Array.from(stored)
  for (let j = 1; j < thresholdCount; j++) thresholds[j] = thresholds[j - 1] + Math.exp(stored[j])
  return thresholds
}

function ordinalObjective(
  design: LinearDesign,
  answers: Answers,
  { shape, penalty }: { readonly shape: Shape; readonly penalty: number },
): Objective {
  const { columns, spread } = shape
  const work = new Float64Array(answers.rows.length)
  const drifts = new Float64Array(answers.rows.length)
  return (parameters, gradient) => {
    const raw = rawParameters(design, shape, parameters)
    multiplyRows(design, answers.rows, { weights: raw.weights, out: work })
    if (spread > 0) multiplyRows(design, answers.rows, { weights: raw.drift, out: drifts })
    for (let i = 0; i < work.length; i++) work[i] += answers.lead[i] * (drifts[i] + raw.driftIntercept)
    gradient.fill(0)
    const byThreshold = new Float64Array(answerCount)
    let loss = replaceByResiduals(answers, work, { thresholds: raw.thresholds, byThreshold })
    loss += addEvenAnswer(answers, orderedThresholds(parameters.subarray(thresholdsAt(shape))), byThreshold)
    addSlopes(design, answers, { factors: work, target: gradient.subarray(0, columns), factor: 1 })
    if (spread > 0) {
      for (let i = 0; i < work.length; i++) {
        work[i] *= answers.lead[i]
        gradient[2 * columns] += work[i]
      }
      addSlopes(design, answers, {
        factors: work,
        target: gradient.subarray(columns, 2 * columns),
        factor: spread,
      })
    }
    chainThresholds(byThreshold, parameters, { gradient, first: thresholdsAt(shape) })
    return loss + addPenalty(parameters, gradient, { columns, penalty })
  }
}

/** Turns the locations in `work` into slopes of the loss by location; returns the loss. */
function replaceByResiduals(
  { score, weight, total }: Answers,
  work: Float64Array,
  { thresholds, byThreshold }: { readonly thresholds: Float64Array; readonly byThreshold: Float64Array },
): number {
  let loss = 0
  for (let i = 0; i < work.length; i++) {
    const answer = score[i]
    const lower = answer === 0 ? Number.NEGATIVE_INFINITY : thresholds[answer - 1] - work[i]
    const upper = answer === thresholdCount ? Number.POSITIVE_INFINITY : thresholds[answer] - work[i]
    const { value, byLower, byUpper } = logProbabilityBetween(lower, upper)
    const scale = weight[i] / total
    loss -= scale * value
    if (answer > 0) byThreshold[answer - 1] -= scale * byLower
    if (answer < thresholdCount) byThreshold[answer] -= scale * byUpper
    work[i] = scale * (byLower + byUpper)
  }
  return loss
}

/** One average answer spread evenly over all answers at the average location. */
function addEvenAnswer(
  { total, average }: Answers,
  thresholds: Float64Array,
  byThreshold: Float64Array,
): number {
  const scale = average / total / answerCount
  let loss = 0
  for (let answer = 0; answer < answerCount; answer++) {
    const lower = answer === 0 ? Number.NEGATIVE_INFINITY : thresholds[answer - 1]
    const upper = answer === thresholdCount ? Number.POSITIVE_INFINITY : thresholds[answer]
    const { value, byLower, byUpper } = logProbabilityBetween(lower, upper)
    loss -= scale * value
    if (answer > 0) byThreshold[answer - 1] -= scale * byLower
    if (answer < thresholdCount) byThreshold[answer] -= scale * byUpper
  }
  return loss
}

/** Slopes by standardised columns from the answers' slopes by location. */
function addSlopes(
  design: LinearDesign,
  answers: Answers,
  to: { readonly factors: Float64Array; readonly target: Float64Array; readonly factor: number },
): void {
  const { factors, target, factor } = to
  addRows(design, answers.rows, { factors, target })
  const sum = factors.reduce((total, value) => total + value, 0)
  for (let c = 0; c < target.length; c++) {
    target[c] = factor * design.scale[c] * (target[c] - design.mean[c] * sum)
  }
}

/** A threshold is the first one plus the gaps below it: slopes by gap are sums of slopes by threshold. */
function chainThresholds(
  byThreshold: Float64Array,
  parameters: Float64Array,
  { gradient, first }: { readonly gradient: Float64Array; readonly first: number },
): void {
  let above = 0
  for (let j = thresholdCount - 1; j > 0; j--) {
    above += byThreshold[j]
    gradient[first + j] = above * Math.exp(parameters[first + j])
  }
  gradient[first] = above + byThreshold[0]
}

/** The drift intercept is held lightly: where all leads are one, thresholds alone could not be told from it. */
function addPenalty(
  parameters: Float64Array,
  gradient: Float64Array,
  { columns, penalty }: { readonly columns: number; readonly penalty: number },
): number {
  let loss = 0
  for (let p = 0; p <= 2 * columns; p++) {
    const own = p === 2 * columns ? penalty / 10 : penalty
    loss += (own / 2) * parameters[p] ** 2
    gradient[p] += own * parameters[p]
  }
  return loss
}
