import type { Program } from '../../domain/program.ts'
import type { Scenario } from '../../simulation/scenario.ts'
import type { QuestionReport } from '../what-if.ts'

/** What a report is about: the question and where its numbers come from. */
export interface ReportSubject {
  /** Those of the question: one, several to compare, or none of a budget. */
  readonly scenarios: readonly Scenario[]
  /** The question as it was asked: JSON. */
  readonly asked: unknown
  readonly program: Pick<Program, 'outcomes' | 'currency'>
  readonly seed: number
  /** Whether the whole population was looked at instead of a sample. */
  readonly isFull: boolean
}

/** Everything that a report shows. */
export interface ReportInputs extends ReportSubject {
  readonly answer: QuestionReport
}
