import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Which rows to fit on and which to hold out. */
export interface Fold {
  readonly train: Int32Array
  readonly test: Int32Array
}

/** Numbers 0 … n − 1 in random order (Fisher & Yates). */
export function shuffledIndices(count: number, seed: number): Int32Array {
  const random = xoroshiro128plus(seed)
  const order = Int32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i)
    const kept = order[i]
    order[i] = order[j]
    order[j] = kept
  }
  return order
}

/** Positions of the groups in order of first appearance: equal ids get equal positions 0 … count − 1. */
export function densePositions(ids: ArrayLike<number>): { position: Int32Array; count: number } {
  const seen = new Map<number, number>()
  const position = new Int32Array(ids.length)
  for (let i = 0; i < ids.length; i++) {
    let place = seen.get(ids[i])
    if (place === undefined) {
      place = seen.size
      seen.set(ids[i], place)
    }
    position[i] = place
  }
  return { position, count: seen.size }
}

/**
 * Splits rows into folds so that all rows of one customer are held out together.
 *
 * @param customer customer of each row. [rows]
 * @param folds at most this many: no more than there are customers.
 * @returns positions into `customer`; every position is held out exactly once. Empty with fewer than 2 customers.
 */
export function foldsByCustomer(customer: ArrayLike<number>, folds: number, seed: number): Fold[] {
  const { position, count } = densePositions(customer)
  const order = shuffledIndices(count, seed)
  const used = Math.min(folds, count)
  if (used < 2) return []
  const foldOf = new Int32Array(count)
  for (let i = 0; i < count; i++) foldOf[order[i]] = i % used
  return Array.from({ length: used }, (_, fold) => {
    const train: number[] = []
    const test: number[] = []
    for (let i = 0; i < position.length; i++) (foldOf[position[i]] === fold ? test : train).push(i)
    return { train: Int32Array.from(train), test: Int32Array.from(test) }
  })
}
