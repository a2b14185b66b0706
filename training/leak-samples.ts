import type { Dataset } from './dataset.ts'
import type { Labelled } from './labelled.ts'
import type { TaskPlan } from './tasks.ts'

/** Dataset rows by which features are judged, and whether the outcome came. **Shape** all [rows]. */
export interface LeakSample {
  readonly rows: Int32Array
  readonly customer: Int32Array
  readonly happened: Uint8Array
}

/** Every row whose first interval is known: did the outcome come within it? */
export function drawSoon({ rows, customer, outcomes }: Labelled, task: number): LeakSample {
  const { known, happened, intervals } = outcomes[task]
  const places = Int32Array.from(rows.keys()).filter((place) => known[place * intervals] === 1)
  return {
    rows: places.map((place) => rows[place]),
    customer: places.map((place) => customer[place]),
    happened: Uint8Array.from(places, (place) => happened[place * intervals]),
  }
}

/** The first of these rows of every customer: did the outcome ever come afterwards, as far as is known? */
export function drawEver(
  { outcomes }: Dataset,
  labelled: Labelled,
  { tasks, task }: { tasks: TaskPlan; task: number },
): LeakSample {
  const { event } = outcomes[tasks.outcomes[task].index]
  const { rows, customer } = drawSoon(labelled, task)
  const first = new Map<number, number>()
  for (const [at, own] of customer.entries()) if (!first.has(own)) first.set(own, rows[at])
  return {
    rows: Int32Array.from(first.values()),
    customer: Int32Array.from(first.keys()),
    happened: Uint8Array.from(first.values(), (row) => (Number.isNaN(event[row]) ? 0 : 1)),
  }
}

/** The rows of some customers. */
export function pickSample(sample: LeakSample, isPicked: (customer: number) => boolean): LeakSample {
  const at = Int32Array.from(sample.rows.keys()).filter((place) => isPicked(sample.customer[place]))
  return {
    rows: at.map((place) => sample.rows[place]),
    customer: at.map((place) => sample.customer[place]),
    happened: Uint8Array.from(at, (place) => sample.happened[place]),
  }
}
