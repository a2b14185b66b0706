import { rounded } from '../../domain/prediction.ts'
import type { FeatureFrame } from '../../features/features.ts'
import {
  type Compared,
  type ComparedCustomer,
  type Driver,
  DriverReader,
  describeRemainder,
} from '../../model/drivers.ts'
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
  const tasks = explainedTasks(predictions).map((task) => ({ task, others: compared.get(task.name) ?? [] }))
  const write = driverWriter()
  const texts = new Array<string>(frame.rows)
  const pieces: string[] = []
  for (let row = 0; row < texts.length; row++) {
    pieces.length = 0
    for (const { task, others } of tasks)
      for (const driver of driversOf(reader, row, { task, others })) {
        pieces.push(pieces.length === 0 ? '[' : ',')
        write(driver, pieces)
      }
    // Put together at once: a text that grows bit by bit is a tree of bits, which costs more to clear away than to make.
    texts[row] = pieces.length === 0 ? '[]' : `${pieces.join('')}]`
  }
  return texts
}

interface Explained {
  readonly task: ExplainedTask
  readonly others: readonly ComparedCustomer[]
}

function driversOf(reader: DriverReader, row: number, { task, others }: Explained): Driver[] {
  const explanation = reader.strongest(task, row, { others, most: driversPerTask })
  if (explanation === null) return []
  const { terms, remainder } = explanation
  const effectOf = (effect: number) => ({ effect: rounded(effect), unit: task.unit, outcome: task.name })
  const drivers = terms.map((term) => reader.describe(term, row, effectOf(term.effect)))
  drivers.push(describeRemainder(effectOf(remainder)))
  return drivers
}

/** Adds a driver as JSON to the pieces of a text. What is said of many customers is put together once. */
function driverWriter(): (driver: Driver, pieces: string[]) => void {
  const heads = new Map<string, string>()
  const ends = new Map<string, string>()
  const kept = (texts: Map<string, string>, name: string, make: () => string): string => {
    const known = texts.get(name)
    if (known !== undefined) return known
    const made = make()
    texts.set(name, made)
    return made
  }
  return ({ feature, words, value, effect, unit, outcome }, pieces) => {
    const head = kept(heads, feature, () => `${JSON.stringify({ feature, words }).slice(0, -1)},"value":`)
    const end = kept(ends, outcome, () => `,${JSON.stringify({ unit, outcome }).slice(1)}`)
    pieces.push(head)
    if (typeof value === 'number') addDecimals(pieces, value, 1e4)
    else pieces.push(JSON.stringify(value))
    pieces.push(',"effect":')
    addDecimals(pieces, effect, 1e6)
    pieces.push(end)
  }
}

/** A number that is whole in such units as decimals: several times faster than what JavaScript does for any number. */
function addDecimals(pieces: string[], value: number, units: number): void {
  const whole = Math.round(Math.abs(value) * units)
  if (!(whole < 2 ** 31)) {
    pieces.push(JSON.stringify(value))
    return
  }
  if (value < 0 && whole > 0) pieces.push('-')
  const before = Math.floor(whole / units)
  const after = whole - before * units
  pieces.push(String(before))
  if (after > 0) pieces.push('.', String(units + after).slice(1))
}
