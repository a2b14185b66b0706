import type { Matrix } from './matrix.ts'

/** Answers are learned up to so many days ahead; later ones are predicted as if they were then. */
export const longestLeadDays = 90

/** Answers run from 0 to 10. */
export const answerCount = 11

/**
 * One outcome's discrete-time hazards over a set of rows.
 *
 * Interval j runs from the end of horizon j − 1 (or the cutoff) to the end of horizon j.
 * **Shape** `happened` and `known`: [rows × intervals], row after row.
 */
export interface HazardLabels {
  readonly name: string
  readonly intervals: number
  /** 1 where the event fell in the interval. Meaningless where not known. */
  readonly happened: Uint8Array
  /** 1 where the row was still event-free at the interval's start and the interval's end is known. */
  readonly known: Uint8Array
  /** Weight of each row, [rows]. */
  readonly weight: Float32Array
}

/** Survey answers, each pointing at the row (customer at a cutoff) it is learned from. **Shape** all [answers]. */
export interface AnswerLabels {
  readonly row: Int32Array
  /** 0 to 90: whole days from the first day after the cutoff to the day of the answer. */
  readonly leadDays: Float32Array
  /** 0 to 10. */
  readonly score: Uint8Array
  /** All uses of one answer together weigh what the answer counts for, 1 on average. */
  readonly weight: Float32Array
}

/** Something for each task. */
export interface ByTask<T> {
  /** One for each outcome, in their order. */
  readonly outcomes: readonly T[]
  /** null without a survey task. */
  readonly answers: T | null
}

/** What a member learns from. */
export interface LearningSet {
  readonly features: Matrix
  /** Index of the customer of each row: rows of one customer stay together in any split. [rows] */
  readonly customer: Int32Array
  readonly outcomes: readonly HazardLabels[]
  readonly answers: AnswerLabels | null
}

/**
 * What a member says about rows.
 *
 * **Shape** `hazards[outcome]`: [rows × intervals], each in (0, 1): the probability that the event falls in the
 * interval given that it had not before. `answers[lead]`: [rows × 11], each row sums to 1; empty without a survey task.
 */
export interface MemberOutput {
  readonly hazards: readonly Float32Array[]
  readonly answers: readonly Float32Array[]
}

/** Numbers to keep beside a description: what a stored member is made of. */
export interface StoredMember {
  readonly kind: string
  /** JSON-able description: sizes, settings, names. */
  readonly description: Readonly<Record<string, unknown>>
  /** Learned numbers by name. */
  readonly arrays: Readonly<Record<string, Float32Array>>
}

/** A learner once it has learned: features in, predictions out. */
export interface Member {
  readonly kind: string
  /**
   * @param leads for each wanted set of answer distributions the lead of every row, in days: [leads][rows].
   */
  predict(features: Matrix, leads: readonly Float32Array[]): MemberOutput
  /** The same without what only other tasks need: of these it then says something of no worth. */
  keepTasks?(used: ByTask<boolean>): Member
  store(): StoredMember
}
