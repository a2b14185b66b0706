import { createHash } from 'node:crypto'
import type { ResultColumn } from '../lake/database.ts'
import type { Feature } from './catalogue.ts'
import type { CategoryEncoding, Encoder, FeatureEncoding, NumberEncoding } from './encoder.ts'
import type { FeatureFrame } from './features.ts'
import { type BinaryTarget, findPiecewiseSplits, type PiecewiseSplits, piecewiseEdges } from './piecewise.ts'

export interface EncoderSettings {
  /** Most bins of a number's piecewise-linear encoding. 0: none. @default 16 */
  readonly mostBins?: number
  /** Most splits of all numbers together; those that gain most are kept. @default 320 */
  readonly mostSplits?: number
}

/**
 * Learns scales, categories and bins from some rows of a frame.
 *
 * @param targets what the piecewise bins should tell apart, one a task; labels aligned with `rows`.
 */
export function fitEncoder(
  frame: FeatureFrame,
  rows: Int32Array,
  options: { targets: readonly BinaryTarget[]; settings?: EncoderSettings },
): Encoder {
  const encodings: Unbinned[] = []
  for (const [index, feature] of frame.features.entries()) {
    const column = frame.columns[index]
    if (isCounted(feature) && missingShare(column, rows) > mostlyMissing) continue
    const encoding =
      feature.kind === 'category'
        ? fitCategory(feature.name, column as (string | null)[], rows)
        : fitNumber(feature.name, column as Float64Array, { rows, ...options })
    if (encoding) encodings.push(encoding)
  }
  const flagged = shareFlags(encodings, frame, rows)
  return { encodings: keepBestSplits(flagged, options.settings?.mostSplits ?? 320) }
}

/** Features that are missing in the same rows share the flag of the first of them. */
function shareFlags(encodings: readonly Unbinned[], frame: FeatureFrame, rows: Int32Array): Unbinned[] {
  const columns = new Map(frame.features.map(({ name }, index) => [name, frame.columns[index]]))
  const seen = new Set<string>()
  return encodings.map((encoding) => {
    if (encoding.kind === 'category' || !encoding.hasMissing) return encoding
    const pattern = missingPattern(columns.get(encoding.name) as Float64Array, rows)
    if (seen.has(pattern)) return { ...encoding, hasMissing: false }
    seen.add(pattern)
    return encoding
  })
}

/** The same for columns that are missing in the same rows. */
function missingPattern(column: Float64Array, rows: Int32Array): string {
  const bits = new Uint8Array(Math.ceil(rows.length / 8))
  for (let at = 0; at < rows.length; at++) {
    if (!Number.isFinite(column[rows[at]])) bits[at >> 3] |= 1 << (at & 7)
  }
  return createHash('sha256').update(bits).digest('base64')
}

/** Numbers with their splits not yet chosen among those of all numbers. */
type Unbinned = CategoryEncoding | (Omit<NumberEncoding, 'edges'> & { readonly splits: PiecewiseSplits })

/** With many features most splits are chance: those that gain most over all features become bins. */
function keepBestSplits(encodings: readonly Unbinned[], mostSplits: number): FeatureEncoding[] {
  const gains = encodings
    .flatMap((encoding) => (encoding.kind === 'number' ? encoding.splits.splits : []))
    .map(({ gain }) => gain)
    .sort((a, b) => b - a)
  const leastGain = gains.length > mostSplits ? gains[mostSplits - 1] : 0
  return encodings.map((encoding) => {
    if (encoding.kind === 'category') return encoding
    const { splits, ...number } = encoding
    return { ...number, edges: piecewiseEdges(splits, leastGain) }
  })
}

/**
 * A window that the data reached back for at few cutoffs only is left out: known always later on, it would carry what
 * little was seen of it, and its era, into every prediction.
 */
const mostlyMissing = 0.5

/** Known for everybody as soon as the window is covered, so that missing means: the data did not reach back. */
function isCounted({ windowDays, unit }: Feature): boolean {
  return windowDays !== null && ['events', 'value', 'types', 'days', 'log ratio'].includes(unit)
}

function missingShare(column: ResultColumn, rows: Int32Array): number {
  let missing = 0
  for (const row of rows) if (column[row] === null || Number.isNaN(column[row])) missing++
  return missing / rows.length
}

function fitCategory(
  name: string,
  column: readonly (string | null)[],
  rows: Int32Array,
): CategoryEncoding | null {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const value = column[row]
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const fewest = Math.max(Math.min(20, rows.length / 20), 0.002 * rows.length)
  const categories = [...counts]
    .filter(([, count]) => count >= fewest && count < rows.length)
    .sort(([a, first], [b, second]) => second - first || (a < b ? -1 : 1))
    .slice(0, 64)
    .map(([category]) => category)
  return categories.length === 0 ? null : { kind: 'category', name, categories }
}

function fitNumber(
  name: string,
  column: Float64Array,
  {
    rows,
    targets,
    settings,
  }: { rows: Int32Array; targets: readonly BinaryTarget[]; settings?: EncoderSettings },
): Unbinned | null {
  const present = new Float64Array(rows.length)
  let count = 0
  for (const row of rows) if (Number.isFinite(column[row])) present[count++] = column[row]
  const sorted = present.subarray(0, count).sort()
  if (count === 0) return null
  const hasMissing = count < rows.length
  if (sorted[0] === sorted[count - 1] && !hasMissing) return null
  const at = (share: number) => sorted[Math.min(count - 1, Math.max(0, Math.round(share * (count - 1))))]
  const isLogged =
    sorted[0] >= 0 && at(0.99) - at(0.5) > 3 * Math.max(at(0.5) - at(0.01), 1e-9) && at(0.99) > 2
  const view = (value: number) => (isLogged ? Math.log1p(value) : value)
  const [low, high] =
    at(0.002) < at(0.998) ? [view(at(0.002)), view(at(0.998))] : [view(sorted[0]), view(sorted[count - 1])]
  const spread = (view(at(0.75)) - view(at(0.25))) / 1.349
  const center = view(at(0.5))
  const scale = spread > 1e-9 ? spread : Math.max((high - low) / 4, 1e-9)
  const mostBins = settings?.mostBins ?? 16
  const splits = findPiecewiseSplits(column, rows, { targets: mostBins === 0 ? [] : targets, mostBins })
  return { kind: 'number', name, isLogged, low, high, center, scale, hasMissing, splits }
}
