import { type EncodedRows, type EncodedView, type Encoder, encode } from './encoder.ts'
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

  of(view: EncodedView): EncodedRows {
    const known = this.#views.get(view) ?? encode(this.#encoder, this.#frame, view)
    this.#views.set(view, known)
    return known
  }
}
