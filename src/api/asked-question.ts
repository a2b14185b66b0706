import type { JobProblem } from '../control/question-jobs.ts'
import { LoyalcastError } from '../domain/errors.ts'
import { parseQuestion, type Question } from '../simulation/question-forms.ts'
import { Problem } from './problems.ts'

/** Reads a question from a body. **Errors** `invalid-question` with the sentences of the command line; `invalid-request` where there is none. */
export function readQuestion(body: unknown): Question {
  if (body === undefined || body === null)
    throw new Problem(
      'invalid-request',
      'There is no question in the body. Send a question as JSON, with Content-Type: application/json.',
    )
  try {
    return parseQuestion(body)
  } catch (error) {
    throw asProblem(error)
  }
}

/** A problem where the question is to blame or too many are asked; anything else as it is. */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof LoyalcastError)) return error
  return error.kind === 'usage' || error.code === 'busy' ? problemOfQuestion(error) : error
}

/** Nothing can be asked of a program yet. */
const nothingThere: readonly string[] = ['no-model', 'no-version', 'no-predictions']

/** Why a question was not answered, as a problem. What failed here is told without its inside. */
export function problemOfQuestion({ kind, code, message }: JobProblem): Problem {
  if (code === 'busy') return new Problem('busy', message)
  if (code === 'internal') return new Problem('internal', "The server's log holds the cause.")
  if (kind === 'failed')
    return new Problem('unavailable', "The lake or the version could not be read. The server's log says why.")
  if (nothingThere.includes(code)) return new Problem('no-predictions', message)
  const errors = [...message.matchAll(/^- (.+?): (.+)$/gm)].map(([, field, detail]) => ({ field, detail }))
  return new Problem('invalid-question', message, errors.length > 0 ? { errors } : {})
}
