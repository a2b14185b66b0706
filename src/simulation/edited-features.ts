import type { Feature } from '../features/catalogue.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { PartAsItIs } from './draw-sums.ts'
import type { Drawn } from './draws.ts'

/** Features before and after, as far as edits move them: numbers alone. */
export interface EditedFrames {
  /** Of the population as it is, and behind it of others to compare with. */
  readonly studied: FeatureFrame
  /** Of the edited customers of one draw as they would be. */
  readonly edited: FeatureFrame
}

/** Edited customers of a part. */
interface EditedPart {
  readonly part: PartAsItIs
  /** Rows of the part. */
  readonly customer: Int32Array
  /** Place of a moved feature → what it would be. [customers] */
  readonly moved: ReadonlyMap<number, Float64Array>
}

/** What the first of some draws does to the features of a part. */
export function editedPart(part: PartAsItIs, { draw, customer, frame }: Drawn): EditedPart {
  const rows = Int32Array.from(draw.keys()).filter((row) => draw[row] === 0)
  const moved = new Map<number, Float64Array>()
  for (const [index, { kind }] of frame.features.entries()) {
    if (kind === 'category') continue
    const before = part.frame.columns[index] as Float64Array
    const after = frame.columns[index] as Float64Array
    if (before !== after && rows.some((row) => !Object.is(before[customer[row]], after[row])))
      moved.set(
        index,
        Float64Array.from(rows, (row) => after[row]),
      )
  }
  return { part, customer: Int32Array.from(rows, (row) => customer[row]), moved }
}

/** The moved features of all parts, in the order of those studied. */
export function joinEdited(parts: readonly EditedPart[]): EditedFrames {
  const indices = [...new Set(parts.flatMap(({ moved }) => [...moved.keys()]))].sort((a, b) => a - b)
  const features = indices.map((index) => parts[0].part.frame.features[index])
  const order = editedOrder(parts)
  return {
    studied: frameOf(
      features,
      indices.map((index) => studiedColumn(parts, index)),
    ),
    edited: frameOf(
      features,
      indices.map((index) => {
        const column = parts.flatMap((own) => [...editedColumn(own, index)])
        return Float64Array.from(order, (place) => column[place])
      }),
    ),
  }
}

function studiedColumn(parts: readonly EditedPart[], index: number): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { part }) => sum + part.studied.length, 0))
  for (const { part } of parts) {
    const column = part.frame.columns[index] as Float64Array
    for (let row = 0; row < column.length; row++) whole[part.studied[row]] = column[row]
  }
  return whole
}

function editedColumn({ part, customer, moved }: EditedPart, index: number): Float64Array {
  const before = part.frame.columns[index] as Float64Array
  return moved.get(index) ?? Float64Array.from(customer, (row) => before[row])
}

/** Places of the edited customers of all parts by their row among those studied. */
function editedOrder(parts: readonly EditedPart[]): Int32Array {
  const studied = parts.flatMap(({ part, customer }) => Array.from(customer, (row) => part.studied[row]))
  return Int32Array.from(studied.keys()).sort((a, b) => studied[a] - studied[b])
}

function frameOf(features: readonly Feature[], columns: readonly Float64Array[]): FeatureFrame {
  return { rows: columns[0]?.length ?? 0, features, columns }
}
