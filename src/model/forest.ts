/** A node as it is grown. Leaves have column −1 and a value; others two children next to each other. */
export interface TreeNode {
  column: number
  /** Numbers up to it go left. */
  limit: number
  /** Where a missing value goes. */
  isMissingLeft: boolean
  /** Categories that go left; null: a number. */
  categories: readonly number[] | null
  /** Place of the left child in its tree; the right child follows it. */
  left: number
  value: number
}

/**
 * Trees whose leaves add up, as flat arrays. Plain numbers, so that they can be stored and sent to threads.
 * **Shape** all [nodes] but `roots` [trees] and `sets` [sets × 3], 24 categories a number.
 */
export interface Forest {
  readonly roots: Float32Array
  /** −1 for a leaf. The column after the last feature is the period. */
  readonly column: Float32Array
  /** Limit of a number; value of a leaf. */
  readonly limit: Float32Array
  /** Place of the left child, its right sibling follows. */
  readonly left: Float32Array
  /** 1 where missing values go left. */
  readonly missing: Float32Array
  /** Place of the set of categories that go left; −1: a number. */
  readonly set: Float32Array
  readonly sets: Float32Array
}

/** Numbers that a set of categories takes, and categories a number holds. */
export const wordsOfSet = 3
export const bitsOfWord = 24

/** Lays trees out one after the other. */
export function layOut(trees: readonly (readonly TreeNode[])[]): Forest {
  const nodes = trees.flat()
  const roots = new Float32Array(trees.length)
  const starts: number[] = []
  let start = 0
  trees.forEach((tree, index) => {
    roots[index] = start
    for (let i = 0; i < tree.length; i++) starts.push(start)
    start += tree.length
  })
  const sets = nodes.flatMap(({ categories }) => (categories ? [categories] : []))
  let next = 0
  return {
    roots,
    column: Float32Array.from(nodes, ({ column }) => column),
    limit: Float32Array.from(nodes, ({ column, limit, value }) => (column < 0 ? value : limit)),
    left: Float32Array.from(nodes, ({ left }, place) => starts[place] + left),
    missing: Float32Array.from(nodes, ({ isMissingLeft }) => (isMissingLeft ? 1 : 0)),
    set: Float32Array.from(nodes, ({ categories }) => (categories ? next++ : -1)),
    sets: Float32Array.from(sets.flatMap(wordsOf)),
  }
}

function wordsOf(categories: readonly number[]): number[] {
  const words = new Array<number>(wordsOfSet).fill(0)
  for (const category of categories) words[Math.floor(category / bitsOfWord)] += 2 ** (category % bitsOfWord)
  return words
}
