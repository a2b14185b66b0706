import type { Program } from '../domain/program.ts'
import type { Question } from '../simulation/question-forms.ts'
import type { AnswerOrigin } from './answer-report.ts'
import { headlinesOf, type QuestionRecord } from './headlines.ts'
import { askQuestion, type QuestionReport, questionDocument, type WhatIfOptions } from './what-if.ts'

/** An answer, as it is shown and as it is remembered. */
export interface AnsweredQuestion {
  readonly report: QuestionReport
  /** What `--json` prints and the API sends. */
  readonly document: unknown
  readonly record: QuestionRecord
}

type AnswerOptions = WhatIfOptions & { readonly question: Question }

/** Answers a question: the one way for the command line and the API. **Errors** those of {@link askQuestion}. */
export async function answerQuestion(program: Program, options: AnswerOptions): Promise<AnsweredQuestion> {
  const report = await askQuestion(program, options)
  const document = questionDocument(report)
  const { date, model_version: modelVersion } = originOf(report)
  const record = { date, modelVersion, isFull: options.isFull, headlines: headlinesOf(document) }
  return { report, document, record }
}

/** The day and the version that an answer speaks of: of several scenarios, the first one's. */
function originOf(report: QuestionReport): Pick<AnswerOrigin, 'date' | 'model_version'> {
  switch (report.kind) {
    case 'scenario':
      return report.report
    case 'compare':
      return report.compare[0]
    case 'budget':
      return report.budget
    case 'sweep':
    case 'goal':
      return report.origin
  }
}
