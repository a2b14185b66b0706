import type { MessagePort } from 'node:worker_threads'
import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import type { PredictionRow } from '../lake/predictions.ts'
import type { Question } from '../simulation/question-forms.ts'
import type { QuestionRecord } from './headlines.ts'

/** How far the draws of a scenario are. */
export interface QuestionProgress {
  readonly done: number
  /** The most there can be; it is often done before. */
  readonly total: number
}

/** What all questions of a server share. */
export interface QuestionSettings {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Where databases spill. */
  readonly scratchFolder: string
  readonly seed: number
}

/** Work as it is handed to a thread: data only. */
export interface ThreadTask {
  readonly program: Program
  readonly settings: QuestionSettings
  /** Hears of {@link QuestionProgress}, and says `stop`; closed in the end. */
  readonly port: MessagePort
}

export interface QuestionTask extends ThreadTask {
  readonly question: Question
  /** Whether everybody is looked at instead of a sample. */
  readonly isFull: boolean
}

/** The next best action of everybody. */
export interface ActionsTask extends ThreadTask {
  /** The Parquet file to write. */
  readonly path: string
}

/** What was found, and for whom. */
export interface FoundActions {
  readonly date: Day
  readonly modelVersion: string
  readonly currency: string
  /** What counts as gain, in words. */
  readonly counted: string
}

/** A customer to be scored with all that is known now. */
export interface RescoreTask extends ThreadTask {
  readonly customerId: string
  /** Null: the last day that is known of the customer or was predicted. */
  readonly date: Day | null
  /** The clock, ISO 8601. */
  readonly now: string
}

/** What is predicted for a customer with all that is known now. */
export interface Rescored {
  readonly date: Day
  /** Null: the customer is not at risk at the end of the day. */
  readonly prediction: PredictionRow | null
  /** What the latest published day says, as JSON; null where it has no row of the customer. */
  readonly published: string | null
  /** Rows of the customer that the next ingest will bring. */
  readonly waiting: number
}

/** An answer as a thread hands it back. */
export interface QuestionAnswer {
  /** The document of the answer. */
  readonly json: string
  readonly record: QuestionRecord
}

/** What came of a task. Errors that can be told to people cross threads as their parts: a copied one has lost them. */
export type QuestionReply<T> =
  | { readonly isDone: true; readonly value: T }
  | {
      readonly isDone: false
      readonly kind: 'usage' | 'failed'
      readonly code: string
      readonly message: string
    }
