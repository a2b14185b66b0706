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
import { TextBytes } from './text-bytes.ts'

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
  const tasks = explainedTasks(predictions).map(
    (task) => new TaskWriter(task, reader, compared.get(task.name) ?? []),
  )
  const text = new TextBytes()
  return Array.from({ length: frame.rows }, (_, row) => {
    for (const task of tasks) task.write(row, text)
    if (text.isEmpty) return '[]'
    text.add(closing)
    return text.take()
  })
}

const opening = Buffer.from('[')
const between = Buffer.from(',')
const closing = Buffer.from(']')
const beforeEffect = Buffer.from(',"effect":')

/** Writes what moved the predictions of a task. What is said of many customers is put together once. */
class TaskWriter {
  readonly #task: ExplainedTask
  readonly #reader: DriverReader
  readonly #others: readonly ComparedCustomer[]
  /** Of each encoding: up to its value. */
  readonly #heads: Buffer[] = []
  readonly #remainderHead: Buffer
  /** After the effect. */
  readonly #end: Buffer
  readonly #values = new Map<Driver['value'], Buffer>()

  constructor(task: ExplainedTask, reader: DriverReader, others: readonly ComparedCustomer[]) {
    const { name: outcome, unit } = task
    const { feature, words, value } = describeRemainder({ effect: 0, unit, outcome })
    this.#task = task
    this.#reader = reader
    this.#others = others
    this.#remainderHead = Buffer.from(JSON.stringify({ feature, words, value }).slice(0, -1))
    this.#end = Buffer.from(`,${JSON.stringify({ unit, outcome }).slice(1)}`)
  }

  /** Adds a row's drivers to a list. */
  write(row: number, text: TextBytes): void {
    const explanation = this.#reader.strongest(this.#task, row, {
      others: this.#others,
      most: driversPerTask,
    })
    if (explanation === null) return
    for (const { encoding, effect } of explanation.terms) {
      text.add(text.isEmpty ? opening : between)
      text.add(this.#headOf(encoding))
      this.#writeValue(this.#reader.shown(encoding, row), text)
      this.#writeEffect(effect, text)
    }
    text.add(text.isEmpty ? opening : between)
    text.add(this.#remainderHead)
    this.#writeEffect(explanation.remainder, text)
  }

  #headOf(encoding: number): Buffer {
    this.#heads[encoding] ??= Buffer.from(
      `${JSON.stringify(this.#reader.named(encoding)).slice(0, -1)},"value":`,
    )
    return this.#heads[encoding]
  }

  #writeValue(value: Driver['value'], text: TextBytes): void {
    if (typeof value === 'number') {
      text.addDecimals(value, 4)
      return
    }
    const known = this.#values.get(value) ?? Buffer.from(JSON.stringify(value))
    this.#values.set(value, known)
    text.add(known)
  }

  #writeEffect(effect: number, text: TextBytes): void {
    text.add(beforeEffect)
    text.addDecimals(rounded(effect), 6)
    text.add(this.#end)
  }
}
