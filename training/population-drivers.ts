import type { FeatureFrame } from '../src/features/features.ts'
import type { ComparedCustomer, DriverReader } from '../src/model/drivers.ts'
import type { ExplainedTask } from '../src/model/explained-tasks.ts'

/** What moves the forecasts of a task over everybody learned from. */
export interface PopulationDrivers {
  /** An outcome or nps. */
  readonly task: string
  readonly unit: ExplainedTask['unit']
  /** Mean absolute size of what no single behaviour explains. */
  readonly remainder: number
  /** Strongest first. */
  readonly behaviours: readonly PopulationDriver[]
}

export interface PopulationDriver {
  readonly behaviour: string
  /** Of the behaviour's features the one that leads most often. */
  readonly feature: string
  readonly words: string
  /** Mean absolute effect on a forecast. **Unit** the task's: probability or points. */
  readonly effect: number
  /** What more of that feature does; null for a category, and where it is now this and now that. */
  readonly direction: 'raises' | 'lowers' | null
}

/** A rank of values and effects below this correlation has no direction. */
const leastCorrelation = 0.3

/** Each row is compared with as many, spread evenly over all. */
const othersCompared = 64

/** Sums up the additive drivers of all rows. */
export function populationDrivers(
  task: ExplainedTask,
  reader: DriverReader,
  frame: FeatureFrame,
): PopulationDrivers {
  const { name, unit } = task
  const byBehaviour = new Map<string, Seen>()
  const others = comparedRows(task, reader, frame.rows)
  let remainder = 0
  for (let row = 0; row < frame.rows; row++) {
    const explanation = reader.explain(task, row, others)
    if (explanation === null) continue
    remainder += Math.abs(explanation.remainder) / frame.rows
    for (const { behaviour, encoding, effect } of explanation.terms) {
      const seen = byBehaviour.get(behaviour) ?? { effects: new Float64Array(frame.rows), leads: new Map() }
      byBehaviour.set(behaviour, seen)
      seen.effects[row] = effect
      seen.leads.set(encoding, (seen.leads.get(encoding) ?? 0) + 1)
    }
  }
  const behaviours = [...byBehaviour].map(([behaviour, { effects, leads }]): PopulationDriver => {
    const [encoding] = [...leads].reduce((most, other) => (other[1] > most[1] ? other : most))
    const { feature, words } = reader.describe({ encoding }, 0, { effect: 0, unit, outcome: name })
    const column = frame.columns[frame.features.findIndex((known) => known.name === feature)]
    const effect = effects.reduce((sum, value) => sum + Math.abs(value), 0) / frame.rows
    return { behaviour, feature, words, effect, direction: directionOf(column, effects) }
  })
  return { task: name, unit, remainder, behaviours: behaviours.sort((a, b) => b.effect - a.effect) }
}

function comparedRows(task: ExplainedTask, reader: DriverReader, rows: number): ComparedCustomer[] {
  if (task.surrogate === null) return []
  const step = Math.max(1, rows / othersCompared)
  return Array.from({ length: Math.min(rows, othersCompared) }, (_, other) =>
    reader.comparable(task, Math.floor((other + 0.5) * step)),
  )
}

interface Seen {
  /** [rows] */
  readonly effects: Float64Array
  /** Encoding → rows in which it leads. */
  readonly leads: Map<number, number>
}

function directionOf(
  column: FeatureFrame['columns'][number],
  effects: Float64Array,
): PopulationDriver['direction'] {
  if (!(column instanceof Float64Array)) return null
  const rows = Array.from(column.keys()).filter((row) => !Number.isNaN(column[row]))
  const mean = (values: Float64Array) => rows.reduce((sum, row) => sum + values[row], 0) / rows.length
  const [middle, usual] = [mean(column), mean(effects)]
  let [together, values, moved] = [0, 0, 0]
  for (const row of rows) {
    together += (column[row] - middle) * (effects[row] - usual)
    values += (column[row] - middle) ** 2
    moved += (effects[row] - usual) ** 2
  }
  const correlation = together / Math.sqrt(values * moved)
  if (!(Math.abs(correlation) >= leastCorrelation)) return null
  return correlation > 0 ? 'raises' : 'lowers'
}
