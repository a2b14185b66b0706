import * as tf from '@tensorflow/tfjs-core'
import { answerCount } from './member.ts'

/** Per member an answer distribution is three numbers: location at lead 0, its change over 90 days, log scale. */
export const answerOutputs = 3

/** What a network is made of. */
export interface NetworkShape {
  /** Features of a row. */
  readonly inputs: number
  /** Sub-networks whose probabilities are averaged: k. */
  readonly members: number
  /** Hidden units of a member: h. */
  readonly width: number
  /** Hidden layers, the members' own first one included. At least 1. */
  readonly layers: number
  readonly outcomes: readonly { readonly name: string; readonly intervals: number }[]
  /** Whether there is a survey task. */
  readonly answers: boolean
}

/** Where a parameter lies in the flat vector of all parameters. */
export interface Slot {
  readonly name: string
  readonly offset: number
  readonly length: number
  /** How many of its leading numbers are weights that decay; biases and adapters don't. */
  readonly decayed: number
}

/** Outputs of one member: a hazard logit per outcome and interval, then the answer's three numbers. */
export function outputsPerMember(shape: NetworkShape): number {
  const hazards = shape.outcomes.reduce((sum, outcome) => sum + outcome.intervals, 0)
  return hazards + (shape.answers ? answerOutputs : 0)
}

/** Rows of a batch of logits [rows, k·out]. */
export function rowsOf(shape: NetworkShape, logits: Float32Array): number {
  return logits.length / (shape.members * outputsPerMember(shape))
}

/**
 * The parameters, in the order of the flat vector. D inputs, k members, h wide, `out` outputs a member:
 *
 * - `own` [D + 1, k·h]: the members' first layers side by side; the last row is the bias
 * - per further layer `shared` [h, h], and of every member `in` [k, h], `out` [k, h], `bias` [k, h]
 * - `heads` [k, h, out]
 * - `skip` [D + 1, k·out]: linear path past the trunk; the last row is the bias of the outputs
 * - `thresholds` [k, 10]: of the answer, see `answerThresholds`
 */
export function networkSlots(shape: NetworkShape): Slot[] {
  const { inputs, members, width } = shape
  const outputs = outputsPerMember(shape)
  const slots: Slot[] = []
  const add = (name: string, length: number, decayed: number) => {
    const last = slots.at(-1)
    slots.push({ name, offset: last ? last.offset + last.length : 0, length, decayed })
  }
  add('own', (inputs + 1) * members * width, inputs * members * width)
  for (let layer = 1; layer < shape.layers; layer++) {
    add(`shared${layer}`, width * width, width * width)
    for (const adapter of ['in', 'out', 'bias']) add(`${adapter}${layer}`, members * width, 0)
  }
  add('heads', members * width * outputs, members * width * outputs)
  add('skip', (inputs + 1) * members * outputs, inputs * members * outputs)
  if (shape.answers) add('thresholds', members * (answerCount - 1), 0)
  return slots
}

/** Numbers in the flat vector of all parameters. */
export function networkSize(shape: NetworkShape): number {
  return networkSlots(shape).reduce((sum, slot) => sum + slot.length, 0)
}

/** The part of the flat vector that holds a parameter: a view, not a copy. */
export function slotView(flat: Float32Array, slot: Slot): Float32Array {
  return flat.subarray(slot.offset, slot.offset + slot.length)
}

/** The adapters and shared weights of one layer after the first. */
interface LayerTensors {
  readonly shared: tf.Tensor2D
  readonly scaleIn: tf.Tensor2D
  readonly scaleOut: tf.Tensor2D
  readonly bias: tf.Tensor2D
}

/** The parameters on the backend. Upload inside `tf.tidy`. */
export interface NetworkTensors {
  readonly own: tf.Tensor2D
  readonly layers: readonly LayerTensors[]
  /** Block-diagonal [k·h, k·out]: cheaper as one multiplication than as k small ones. */
  readonly heads: tf.Tensor2D
  readonly skip: tf.Tensor2D
}

/** What the backward pass needs of the forward pass. All hidden tensors are [rows, k·h]. */
export interface ForwardPass {
  /** [rows, D + 1], the last column 1. */
  readonly input: tf.Tensor2D
  /** After ReLU and dropout, per layer. */
  readonly hidden: readonly tf.Tensor2D[]
  /** Per layer after the first: the scaled input [rows·k, h] and its product with the shared weights [rows, k·h]. */
  readonly steps: readonly { readonly scaled: tf.Tensor2D; readonly mixed: tf.Tensor2D }[]
  /** Dropout masks per layer: 0, or 1 / (1 − dropout). */
  readonly masks: readonly tf.Tensor2D[] | null
  /** [rows, k·out] */
  readonly logits: tf.Tensor2D
}

/** Puts a flat vector of parameters on the backend. */
export function uploadNetwork(shape: NetworkShape, flat: Float32Array): NetworkTensors {
  const { inputs, members, width } = shape
  const outputs = outputsPerMember(shape)
  const slots = new Map(networkSlots(shape).map((slot) => [slot.name, slotView(flat, slot)]))
  const tensor = (name: string, rows: number, columns: number) =>
    tf.tensor2d(slots.get(name)!, [rows, columns])
  return {
    own: tensor('own', inputs + 1, members * width),
    layers: Array.from({ length: shape.layers - 1 }, (_, index) => ({
      shared: tensor(`shared${index + 1}`, width, width),
      scaleIn: tensor(`in${index + 1}`, 1, members * width),
      scaleOut: tensor(`out${index + 1}`, 1, members * width),
      bias: tensor(`bias${index + 1}`, 1, members * width),
    })),
    heads: tf.tensor2d(blockDiagonal(slots.get('heads')!, shape), [members * width, members * outputs]),
    skip: tensor('skip', inputs + 1, members * outputs),
  }
}

/**
 * The network: features to the members' logits.
 *
 * @param input [rows, D + 1], the last column 1.
 * @param masks dropout masks [rows, k·h], one per layer, while learning.
 */
export function forwardPass(
  network: NetworkTensors,
  input: tf.Tensor2D,
  masks: readonly tf.Tensor2D[] | null = null,
): ForwardPass {
  const [rows, units] = [input.shape[0], network.own.shape[1]]
  const dropped = (activated: tf.Tensor2D, layer: number) =>
    masks === null ? activated : tf.mul<tf.Tensor2D>(activated, masks[layer])
  let last = dropped(tf.fused.matMul({ a: input, b: network.own, activation: 'relu' }) as tf.Tensor2D, 0)
  const hidden = [last]
  const steps = network.layers.map(({ shared, scaleIn, scaleOut, bias }, index) => {
    const width = shared.shape[0]
    const scaled = tf.reshape(tf.mul(last, scaleIn), [-1, width]) as tf.Tensor2D
    const mixed = tf.reshape(tf.matMul(scaled, shared), [rows, units]) as tf.Tensor2D
    last = dropped(tf.relu(tf.add<tf.Tensor2D>(tf.mul(mixed, scaleOut), bias)), index + 1)
    hidden.push(last)
    return { scaled, mixed }
  })
  const logits = tf.add<tf.Tensor2D>(tf.matMul(last, network.heads), tf.matMul(input, network.skip))
  return { input, hidden, steps, masks, logits }
}

/**
 * Gradients of the parameters by slot name, given the gradient of the logits [rows, k·out]. Written out by hand:
 * the tape of TensorFlow.js transposes inside `matMul`, nine times slower on WASM than a transpose before it, and
 * its gradients are registered only by the umbrella package.
 *
 * `heads` comes back in its block-diagonal layout; `gatherGradient` knows.
 */
export function backwardPass(
  network: NetworkTensors,
  pass: ForwardPass,
  logitGradient: tf.Tensor2D,
): Map<string, tf.Tensor> {
  const { input, hidden, steps, masks } = pass
  const inputColumns = tf.transpose(input)
  const gradients = new Map<string, tf.Tensor>([
    ['heads', tf.matMul(tf.transpose(hidden.at(-1)!), logitGradient)],
    ['skip', tf.matMul(inputColumns, logitGradient)],
  ])
  const beforeRelu = (gradient: tf.Tensor2D, layer: number) => {
    const alive = tf.mul<tf.Tensor2D>(gradient, tf.step(hidden[layer]))
    return masks === null ? alive : tf.mul<tf.Tensor2D>(alive, masks[layer])
  }
  let gradient: tf.Tensor2D = tf.matMul(logitGradient, tf.transpose(network.heads))
  for (let layer = steps.length; layer >= 1; layer--) {
    const { shared, scaleIn, scaleOut } = network.layers[layer - 1]
    const { scaled, mixed } = steps[layer - 1]
    const summed = beforeRelu(gradient, layer)
    gradients.set(`bias${layer}`, columnSums(summed))
    gradients.set(`out${layer}`, columnSums(tf.mul<tf.Tensor2D>(summed, mixed)))
    const product = tf.reshape<tf.Rank.R2>(tf.mul(summed, scaleOut), scaled.shape)
    gradients.set(`shared${layer}`, tf.matMul(tf.transpose(scaled), product))
    const scaledGradient = tf.reshape<tf.Rank.R2>(tf.matMul(product, tf.transpose(shared)), mixed.shape)
    gradients.set(`in${layer}`, columnSums(tf.mul<tf.Tensor2D>(scaledGradient, hidden[layer - 1])))
    gradient = tf.mul<tf.Tensor2D>(scaledGradient, scaleIn)
  }
  gradients.set('own', tf.matMul(inputColumns, beforeRelu(gradient, 0)))
  return gradients
}

/** Downloads gradients into one flat vector, laid out as the parameters; what is not named stays 0. */
export function gatherGradient(shape: NetworkShape, gradients: Map<string, tf.Tensor>): Float32Array {
  const flat = new Float32Array(networkSize(shape))
  for (const slot of networkSlots(shape)) {
    const gradient = gradients.get(slot.name)?.dataSync<'float32'>()
    if (gradient === undefined) continue
    slotView(flat, slot).set(slot.name === 'heads' ? diagonalBlocks(gradient, shape) : gradient)
  }
  return flat
}

/** Sum over rows. */
function columnSums(values: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(values, 0)
}

/** [k, h, out] → [k·h, k·out] with zeros outside the diagonal blocks. */
function blockDiagonal(blocks: Float32Array, shape: NetworkShape): Float32Array {
  const { members, width } = shape
  const outputs = outputsPerMember(shape)
  const wide = new Float32Array(members * width * members * outputs)
  for (let unit = 0; unit < members * width; unit++) {
    const member = Math.floor(unit / width)
    wide.set(
      blocks.subarray(unit * outputs, (unit + 1) * outputs),
      unit * members * outputs + member * outputs,
    )
  }
  return wide
}

/** The inverse of {@link blockDiagonal}. */
function diagonalBlocks(wide: Float32Array, shape: NetworkShape): Float32Array {
  const { members, width } = shape
  const outputs = outputsPerMember(shape)
  const blocks = new Float32Array(members * width * outputs)
  for (let unit = 0; unit < members * width; unit++) {
    const start = unit * members * outputs + Math.floor(unit / width) * outputs
    blocks.set(wide.subarray(start, start + outputs), unit * outputs)
  }
  return blocks
}
