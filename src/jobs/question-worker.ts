import { LoyalcastError, storageFailure } from '../domain/errors.ts'
import { makeFolder } from '../lake/durable-files.ts'
import { answerQuestion } from './answered-question.ts'
import { KeptSessions } from './kept-sessions.ts'
import type { QuestionAnswer, QuestionProgress, QuestionReply, QuestionTask } from './question-task.ts'
import { checkQuestion } from './what-if.ts'

/** Loading takes seconds, so a thread keeps what it has loaded. */
const sessions = new KeptSessions()

/** Runs in a thread: answers a question. */
export function answer(task: QuestionTask): Promise<QuestionReply<QuestionAnswer>> {
  return replied(task, async (options) => {
    const { document, record } = await answerQuestion(task.program, options)
    return { json: JSON.stringify(document), record }
  })
}

/** Runs in a thread: refuses a question that the data do not know, without answering it. */
export function check(task: QuestionTask): Promise<QuestionReply<null>> {
  return replied(task, async (options) => {
    await checkQuestion(task.program, options)
    return null
  })
}

/** Runs in a thread before it ends: closes what it keeps. */
export function close(): Promise<void> {
  return sessions.close()
}

async function replied<T>(
  { program, settings, question, isFull, port }: QuestionTask,
  work: (options: Parameters<typeof answerQuestion>[1]) => Promise<T>,
): Promise<QuestionReply<T>> {
  const tell = ({ done, total }: QuestionProgress) => port.postMessage({ done, total })
  const reporter = { progress: tell, warn: () => {} }
  const stopping = new AbortController()
  port.once('message', () => stopping.abort())
  try {
    await makeFolder(settings.scratchFolder)
    const session = await sessions.of(program, settings)
    return {
      isDone: true,
      value: await work({ ...settings, ...{ question, isFull, reporter, session }, signal: stopping.signal }),
    }
  } catch (thrown) {
    const error = storageFailure(thrown, settings.scratchFolder) ?? thrown
    if (!(error instanceof LoyalcastError)) throw error
    const { kind, code, message } = error
    return { isDone: false, kind, code, message }
  } finally {
    port.close()
  }
}
