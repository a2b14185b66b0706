import { rounded } from '../../domain/prediction.ts'
import type { FeatureFrame } from '../../features/features.ts'
import { type Compared, type Driver, DriverReader, describeRemainder } from '../../model/drivers.ts'
import { type ExplainedTask, explainedTasks } from '../../model/explained-tasks.ts'
import type { Predictions, Predictor } from '../../model/predictor.ts'

const driversPerTask = 3

export interface DriverInputs {
  readonly frame: FeatureFrame
  readonly predictor: Predictor
  readonly predictions: Predictions
  /** Whom customers are compared with. */
  readonly compared: Compared
}

/** For each customer the strongest behaviours of every task and, last, what no single behaviour explains: JSON. */
export function driverTexts({ frame, predictor, predictions, compared }: DriverInputs): string[] {
  const reader = new DriverReader(predictor.parts, frame, predictions.views.of('piecewise'))
  const tasks = explainedTasks(predictions)
  const write = driverWriter()
  return Array.from({ length: frame.rows }, (_, row) => {
    const texts = tasks.flatMap((task) =>
      driversOf(reader, { task, row, others: compared.get(task.name) ?? [] }).map(write),
    )
    return `[${texts.join(',')}]`
  })
}

interface Explained {
  readonly task: ExplainedTask
  readonly row: number
  readonly others: NonNullable<ReturnType<Compared['get']>>
}

function driversOf(reader: DriverReader, { task, row, others }: Explained): Driver[] {
  const explanation = reader.strongest(task, row, { others, most: driversPerTask })
  if (explanation === null) return []
  const { terms, remainder } = explanation
  const effectOf = (effect: number) => ({ effect: rounded(effect), unit: task.unit, outcome: task.name })
  return [
    ...terms.map((term) => reader.describe(term, row, effectOf(term.effect))),
    describeRemainder(effectOf(remainder)),
  ]
}

/** The same as JSON of it, with each text quoted once: most are said of many customers. */
function driverWriter(): (driver: Driver) => string {
  const quoted = new Map<string, string>()
  const quote = (text: string): string => {
    const known = quoted.get(text)
    if (known !== undefined) return known
    const own = JSON.stringify(text)
    quoted.set(text, own)
    return own
  }
  return ({ feature, words, value, effect, unit, outcome }) => {
    const shown = typeof value === 'string' ? quote(value) : value
    return `{"feature":${quote(feature)},"words":${quote(words)},"value":${shown},"effect":${effect},"unit":"${unit}","outcome":${quote(outcome)}}`
  }
}
