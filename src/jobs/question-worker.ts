import { LoyalcastError, storageFailure } from '../domain/errors.ts'
import { makeFolder } from '../lake/durable-files.ts'
import { nextBestActions, writeActions } from './actions.ts'
import { answerQuestion } from './answered-question.ts'
import { KeptSessions } from './kept-sessions.ts'
import { prepareMeasurements } from './prepare-measurements.ts'
import type {
  ActionsTask,
  FoundActions,
  QuestionAnswer,
  QuestionProgress,
  QuestionReply,
  QuestionSettings,
  QuestionTask,
  Rescored,
  RescoreTask,
  ThreadTask,
} from './question-task.ts'
import { rescoreCustomer } from './rescore.ts'
import { checkQuestion } from './what-if.ts'
import type { WhatIfSession } from './what-if-session.ts'

/** Loading takes seconds, so a thread keeps what it has loaded. */
const sessions = new KeptSessions()

/** Runs in a thread: answers a question. */
export function answer(task: QuestionTask): Promise<QuestionReply<QuestionAnswer>> {
  const { program, question, isFull } = task
  return replied(task, async (options) => {
    const { document, record } = await answerQuestion(program, { ...options, question, isFull })
    return { json: JSON.stringify(document), record }
  })
}

/** Runs in a thread: refuses a question that the data do not know, without answering it. */
export function check(task: QuestionTask): Promise<QuestionReply<null>> {
  const { program, question, isFull } = task
  return replied(task, async (options) => {
    await checkQuestion(program, { ...options, question, isFull })
    return null
  })
}

/** Runs in a thread: measures what questions will need. Nothing is forecast for that. */
export function prepare(task: ThreadTask): Promise<QuestionReply<null>> {
  const work = async (options: WorkOptions) => {
    await prepareMeasurements(options)
    return null
  }
  return replied(task, work, { isThreaded: false })
}

/** Runs in a thread: scores one customer with all that is known now. */
export function rescore(task: RescoreTask): Promise<QuestionReply<Rescored | null>> {
  const { program, customerId, date, now } = task
  return replied(task, (options) => rescoreCustomer(program, { ...options, customerId, date, now }))
}

/** Runs in a thread: finds the next best action of everybody and writes them to a file. */
export function actions(task: ActionsTask): Promise<QuestionReply<FoundActions>> {
  const { program, path } = task
  return replied(task, async (options) => {
    const report = await nextBestActions(program, { ...options, date: null, customerId: null })
    await writeActions(report, { format: 'parquet', file: path })
    const { date, model_version: modelVersion, currency, counted } = report
    return { date, modelVersion, currency, counted }
  })
}

/** Runs in a thread before it ends: closes what it keeps. */
export function close(): Promise<void> {
  return sessions.close()
}

interface WorkOptions extends QuestionSettings {
  readonly session: WhatIfSession
  readonly reporter: { progress(progress: QuestionProgress): void; warn(): void }
  readonly signal: AbortSignal
}

async function replied<T>(
  { program, settings, port }: ThreadTask,
  work: (options: WorkOptions) => Promise<T>,
  { isThreaded } = { isThreaded: true },
): Promise<QuestionReply<T>> {
  const tell = ({ done, total }: QuestionProgress) => port.postMessage({ done, total })
  const reporter = { progress: tell, warn: () => {} }
  const stopping = new AbortController()
  port.once('message', () => stopping.abort())
  try {
    await makeFolder(settings.scratchFolder)
    const session = await sessions.of(program, { ...settings, isThreaded })
    return { isDone: true, value: await work({ ...settings, reporter, session, signal: stopping.signal }) }
  } catch (thrown) {
    const error = storageFailure(thrown, settings.scratchFolder) ?? thrown
    if (!(error instanceof LoyalcastError)) throw error
    const { kind, code, message } = error
    return { isDone: false, kind, code, message }
  } finally {
    port.close()
  }
}
