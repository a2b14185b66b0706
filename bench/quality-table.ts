import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FeatureFrame } from '../src/features/features.ts'
import type { QualitySplit, QualityTask } from './quality-splits.ts'

/** A column of `features.f64`: numbers as they are, categories as the places of their names; NaN is missing. */
export interface TableColumn {
  readonly name: string
  /** Null: a number. */
  readonly categories: readonly string[] | null
}

/** A task as the peers read it; its labels lie in the two files named. */
export interface TableTask extends Pick<QualitySplit, 'tunedOn'> {
  readonly split: string
  readonly task: string
  readonly kind: QualityTask['kind']
  readonly validation: 'forward' | 'folds'
  /** int32 columns row, label, fold. */
  readonly train: string
  /** int32 column row. */
  readonly test: string
}

export interface ExportedTable {
  readonly rows: number
  readonly columns: readonly TableColumn[]
  readonly tasks: readonly TableTask[]
  /** SHA-256 of what a split's peers learn from, by split. */
  readonly fingerprints: Readonly<Record<string, string>>
}

/**
 * Writes the features of all rows and the labels of all splits as plain little-endian numbers, column after column:
 * `numpy.fromfile` reads them as they are.
 */
export async function exportTable(
  folder: string,
  frame: FeatureFrame,
  splits: readonly (Pick<QualitySplit, 'name' | 'tunedOn'> & {
    readonly judged: readonly QualityTask[]
    readonly inner: Pick<QualitySplit['inner'], 'testFrom'>
  })[],
): Promise<ExportedTable> {
  const { columns, features } = layOut(frame)
  await writeFile(join(folder, 'features.f64'), features)
  const featureHash = createHash('sha256').update(JSON.stringify(columns)).update(features).digest('hex')
  const tasks: TableTask[] = []
  const fingerprints: Record<string, string> = {}
  for (const [number, { name, tunedOn, inner, judged }] of splits.entries()) {
    const hash = createHash('sha256').update(featureHash)
    for (const { name: task, kind, train, test } of judged) {
      const files = { train: `${number}.${task}.train.i32`, test: `${number}.${task}.test.i32` }
      const learned = bytesOf(joined([train.row, train.label, train.fold]))
      await writeFile(join(folder, files.train), learned)
      await writeFile(join(folder, files.test), bytesOf(test.row))
      hash.update(task).update(learned)
      tasks.push({
        split: name,
        tunedOn,
        task,
        kind,
        validation: inner.testFrom === null ? 'folds' : 'forward',
        ...files,
      })
    }
    fingerprints[name] = hash.digest('hex')
  }
  return { rows: frame.rows, columns, tasks, fingerprints }
}

/** Features as one block of doubles. Categories are numbered in the order of their names. */
function layOut(frame: FeatureFrame): { columns: TableColumn[]; features: Uint8Array } {
  const values = new Float64Array(frame.rows * frame.columns.length)
  const columns = frame.features.map(({ name, kind }, index): TableColumn => {
    const column = frame.columns[index]
    const at = index * frame.rows
    if (kind !== 'category') {
      values.set(column as Float64Array, at)
      return { name, categories: null }
    }
    const words = column as (string | null)[]
    const categories = [...new Set(words.filter((word) => word !== null))].sort()
    const places = new Map(categories.map((category, place) => [category, place]))
    words.forEach((word, row) => {
      values[at + row] = word === null ? Number.NaN : (places.get(word) as number)
    })
    return { name, categories }
  })
  return { columns, features: new Uint8Array(values.buffer) }
}

function joined(columns: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(columns.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const column of columns) {
    whole.set(column, at)
    at += column.length
  }
  return whole
}

function bytesOf(values: Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
