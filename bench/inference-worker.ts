import { type FeatureFrame, sliceFrame } from '../src/features/features.ts'
import { type Backend, startBackend } from '../src/model/backend.ts'
import { loadPredictor } from '../src/model/stored-predictor.ts'

export interface InferenceTask {
  /** Of the version. */
  readonly folder: string
  readonly backend: Backend
  readonly frame: FeatureFrame
  /** How many rows are predicted at least, the frame's again and again. */
  readonly rows: number
}

/** As many as a daily run predicts at once. */
const rowsOfSlice = 8192

/** Runs in a thread: rows a second, answers of today included. */
export default async function infer({ folder, backend, frame, rows }: InferenceTask): Promise<number> {
  await startBackend(backend)
  const predictor = await loadPredictor(folder)
  const slice = sliceFrame(frame, 0, Math.min(rowsOfSlice, frame.rows))
  predictor.predict(slice, [0])
  const started = performance.now()
  let done = 0
  for (; done < rows; done += slice.rows) predictor.predict(slice, [0])
  return (1000 * done) / (performance.now() - started)
}
