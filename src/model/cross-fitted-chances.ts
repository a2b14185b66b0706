import type { Fitter } from './fitter.ts'
import { foldsByCustomer } from './folds.ts'
import type { LogisticPenalties } from './logistic-member.ts'
import { type Matrix, selectRows } from './matrix.ts'
import type { LearningSet } from './member.ts'

/** Something that happens or does not, as one task with one interval. **Shape** all [rows]. */
export interface ChanceTask {
  readonly name: string
  readonly features: Matrix
  /** Rows of one customer stay together in any split. */
  readonly customer: Int32Array
  readonly happened: Uint8Array
  /** Default: every row weighs 1. */
  readonly weight?: Float32Array
}

/** What a member learns the task from. */
export function chanceSet({ name, features, customer, happened, weight }: ChanceTask): LearningSet {
  const { rows } = features
  return {
    features,
    customer,
    outcomes: [
      {
        name,
        intervals: 1,
        happened,
        known: new Uint8Array(rows).fill(1),
        weight: weight ?? new Float32Array(rows).fill(1),
      },
    ],
    answers: null,
  }
}

const folds = 5

/** Chance of every row, by a regularised logistic fit without the row's customer. **Shape** [rows] */
export async function crossFitChances(
  task: ChanceTask,
  { penalties, seed, fitter }: { penalties: LogisticPenalties; seed: number; fitter: Fitter },
): Promise<Float64Array> {
  const found = new Float64Array(task.features.rows)
  const fits = foldsByCustomer(task.customer, folds, seed).map(async ({ train, test }) => {
    const member = await fitter.logistic(
      chanceSet(pickRows(task, train)),
      { seed, chosen: penalties },
      () => {},
    )
    const own = member.predict(selectRows(task.features, test), []).hazards[0]
    test.forEach((row, place) => {
      found[row] = own[place]
    })
  })
  await Promise.all(fits)
  return found
}

function pickRows({ name, features, customer, happened, weight }: ChanceTask, rows: Int32Array): ChanceTask {
  return {
    name,
    features: selectRows(features, rows),
    customer: rows.map((row) => customer[row]),
    happened: Uint8Array.from(rows, (row) => happened[row]),
    ...(weight && { weight: Float32Array.from(rows, (row) => weight[row]) }),
  }
}
