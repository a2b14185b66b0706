import { densePositions, type Fold, foldsByCustomer, shuffledIndices } from './folds.ts'

/** How to fit once: see the options of the fits themselves. */
export interface PenalisedFit {
  readonly penalty: number
  readonly start?: Float64Array
  readonly tolerance: number
}

/** One task as the choice of its penalty sees it. Units are rows (outcomes) or answers. */
export interface PenaltyTask<Model> {
  readonly folds: readonly Fold[]
  /** Candidates, heaviest first: each fit starts from the one before. */
  readonly grid: readonly number[]
  readonly fit: (
    units: Int32Array,
    options: PenalisedFit,
  ) => { readonly model: Model; readonly parameters: Float64Array }
  /** Total log loss of held-out units and their total weight. */
  readonly loss: (model: Model, units: Int32Array) => { readonly loss: number; readonly weight: number }
  /** Told the share of the grid that is done. */
  readonly onStep: (done: number) => void
}

/** Penalties differ by far more than a fit this rough is off: a fifth of the time of an exact one. */
const roughTolerance = 1e-4

/**
 * The penalty with the least held-out log loss, and parameters to start the final fit from.
 *
 * Walks from heavy to light and stops where the loss rises: the lightest fits take longest.
 */
export function choosePenalty<Model>(task: PenaltyTask<Model>): { penalty: number; start?: Float64Array } {
  let best: { penalty: number; loss: number; start?: Float64Array } = {
    penalty: task.grid[0],
    loss: Number.POSITIVE_INFINITY,
  }
  const starts: (Float64Array | undefined)[] = task.folds.map(() => undefined)
  for (let step = 0; step < task.grid.length; step++) {
    let loss = 0
    let weight = 0
    task.folds.forEach((fold, f) => {
      const { model, parameters } = task.fit(fold.train, {
        penalty: task.grid[step],
        tolerance: roughTolerance,
        ...(starts[f] && { start: starts[f] }),
      })
      const held = task.loss(model, fold.test)
      starts[f] = parameters
      loss += held.loss
      weight += held.weight
    })
    const mean = weight > 0 ? loss / weight : 0
    task.onStep((step + 1) / task.grid.length)
    if (mean >= best.loss) break
    best = { penalty: task.grid[step], loss: mean, ...(starts[0] && { start: starts[0] }) }
  }
  return best
}

/** Numbers in the fitted part of a table above which two folds tell as much as five. */
const largeTable = 4_000_000
/** Units from which a penalty is chosen; more would change the choice little and the time much. */
const unitsForChoice = 12_000

/**
 * Folds by customer to choose a penalty on: a random part of the customers where there are very many units, and
 * only two of the folds where the table is large.
 *
 * @param customer customer of each unit. [units]
 */
export function foldsForChoice(
  customer: Int32Array,
  { folds, seed, columns }: { readonly folds: number; readonly seed: number; readonly columns: number },
): Fold[] {
  const units = sampleByCustomer(customer, seed)
  const own = Int32Array.from(units, (unit) => customer[unit])
  const split = foldsByCustomer(own, folds, seed).map(({ train, test }) => ({
    train: train.map((i) => units[i]),
    test: test.map((i) => units[i]),
  }))
  return units.length * columns > largeTable ? split.slice(0, 2) : split
}

/** All units of as many random customers as give about `most` units; of fewer units, all. */
export function sampleByCustomer(
  customer: ArrayLike<number>,
  seed: number,
  most: number = unitsForChoice,
): Int32Array {
  if (customer.length <= most) return Int32Array.from(customer, (_, i) => i)
  const { position, count } = densePositions(customer)
  const rank = shuffledIndices(count, seed)
  const kept = (most / customer.length) * count
  const units: number[] = []
  for (let i = 0; i < position.length; i++) if (rank[position[i]] < kept) units.push(i)
  return Int32Array.from(units)
}
