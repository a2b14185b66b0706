import * as tf from '@tensorflow/tfjs-core'
import type { Matrix } from './matrix.ts'
import { forwardPass, type NetworkShape, uploadNetwork } from './network.ts'

/** Rows computed at once: enough to keep WASM busy, little enough to stay in the tens of megabytes. */
const runRows = 4096

/** Some rows of features as the network's input: [rows, D + 1], the last column 1. */
export function inputTensor(features: Matrix, rows: Int32Array): tf.Tensor2D {
  const { columns, values } = features
  const wide = columns + 1
  const input = new Float32Array(rows.length * wide)
  for (let i = 0; i < rows.length; i++) {
    input.set(values.subarray(rows[i] * columns, (rows[i] + 1) * columns), i * wide)
    input[i * wide + columns] = 1
  }
  return tf.tensor2d(input, [rows.length, wide])
}

/**
 * Runs features through a network, batch after batch. No tensor outlives the call.
 *
 * @param each is given the logits of a batch, [batch, k·out], and the index of its first row.
 */
export function runNetwork(
  network: { readonly shape: NetworkShape; readonly weights: Float32Array },
  features: Matrix,
  each: (logits: Float32Array, start: number) => void,
): void {
  tf.tidy(() => {
    const tensors = uploadNetwork(network.shape, network.weights)
    for (let start = 0; start < features.rows; start += runRows) {
      const count = Math.min(runRows, features.rows - start)
      const rows = Int32Array.from({ length: count }, (_, i) => start + i)
      // Through a variable: `tf.tidy` would search a returned array for tensors, number by number.
      let logits: Float32Array = new Float32Array()
      tf.tidy(() => {
        logits = forwardPass(tensors, inputTensor(features, rows)).logits.dataSync<'float32'>()
      })
      each(logits, start)
    }
  })
}
