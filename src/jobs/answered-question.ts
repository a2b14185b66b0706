import type { Program } from '../domain/program.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import { headOf, type Question } from '../simulation/question-forms.ts'
import { headlinesOf, type QuestionRecord } from './headlines.ts'
import { askQuestion, type QuestionReport, questionDocument, type WhatIfOptions } from './what-if.ts'
import { WhatIfSession } from './what-if-session.ts'

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
  if (options.session) return answerIn(options.session, program, options)
  // For a single sample, threads take longer to start than they save.
  const session = new WhatIfSession(program, { ...options, isThreaded: options.isFull })
  try {
    return await answerIn(session, program, options)
  } finally {
    await session.close()
  }
}

async function answerIn(
  session: WhatIfSession,
  program: Program,
  options: AnswerOptions,
): Promise<AnsweredQuestion> {
  const report = await askQuestion(program, { ...options, session })
  const document = questionDocument(report)
  const { asked, version } = await session.current()
  const { date } = findPredictionDay(asked.lake, headOf(options.question).date)
  const record = { date, modelVersion: version, isFull: options.isFull, headlines: headlinesOf(document) }
  return { report, document, record }
}
