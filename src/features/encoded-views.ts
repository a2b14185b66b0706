import { columnsOf, type EncodedRows, type EncodedView, type Encoder, encode } from './encoder.ts'
import type { FeatureFrame } from './features.ts'

/** The views of a frame, each encoded when it is first looked at. */
export class EncodedViews {
  readonly #encoder: Encoder
  readonly #frame: FeatureFrame
  readonly #views = new Map<EncodedView, EncodedRows>()

  constructor(encoder: Encoder, frame: FeatureFrame) {
    this.#encoder = encoder
    this.#frame = frame
  }

  /** Ask for the piecewise view before the plain one, where both are wanted: it holds the same numbers. */
  of(view: EncodedView): EncodedRows {
    const known = this.#views.get(view) ?? this.#encode(view)
    this.#views.set(view, known)
    return known
  }

  #encode(view: EncodedView): EncodedRows {
    const piecewise = this.#views.get('piecewise')
    return view === 'plain' && piecewise
      ? withoutBins(this.#encoder, piecewise)
      : encode(this.#encoder, this.#frame, view)
  }
}

function withoutBins({ encodings }: Encoder, { rows, columns, values }: EncodedRows): EncodedRows {
  const kept: number[] = []
  let column = 0
  for (const encoding of encodings) {
    for (let own = 0; own < columnsOf(encoding, 'plain'); own++) kept.push(column + own)
    column += columnsOf(encoding, 'piecewise')
  }
  const places = Int32Array.from(kept)
  const plain = new Float32Array(rows * places.length)
  for (let row = 0, at = 0; row < rows; row++) {
    const start = row * columns
    for (let own = 0; own < places.length; own++) plain[at++] = values[start + places[own]]
  }
  return { rows, columns: places.length, values: plain }
}
