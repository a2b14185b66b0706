import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { failure, LoyalcastError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Question } from '../simulation/question-forms.ts'
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

/** A question and whom it is asked about. */
export interface AskedQuestion {
  readonly program: Program
  readonly question: Question
}

/** Answers questions without holding up the process that asks. */
export interface Answerer {
  /** Answers on a sample, at once. **Errors** those of the answer; `busy` where too many wait. */
  answerSoon(asked: AskedQuestion): Promise<QuestionAnswer>
  /** Looks at everybody, beside the questions that want an answer at once. One at a time is best: they take as long together. */
  answerFully(asked: AskedQuestion, options: LongTaskOptions): Promise<QuestionAnswer>
  /** Finds the next best action of everybody and writes them to a Parquet file; beside the questions that want an answer at once. */
  actions(asked: { readonly program: Program; readonly path: string }): Promise<FoundActions>
  /** Refuses what the data do not know. **Errors** as {@link answerSoon}. */
  check(asked: AskedQuestion): Promise<void>
  /** Scores a customer with all that is known now; null where nobody knows the customer. **Errors** as {@link answerSoon} */
  rescore(asked: AskedRescore): Promise<Rescored | null>
  /** Measures what questions about a program will need, beside everything else, as far as it is not known. */
  prepare(program: Program): Promise<void>
  /** Ends what is at hand. */
  close(): Promise<void>
}

/** Of what takes long. */
export interface LongTaskOptions {
  readonly onProgress: (progress: QuestionProgress) => void
  /** Aborted where nobody waits for it any more: it ends soon then, with an error or an answer. */
  readonly stop: AbortSignal
}

/** Questions of one thread that wait for their turn. Answers take seconds: who comes later does better to try again. */
const mostWaiting = 8

type TaskName = 'answer' | 'check' | 'prepare' | 'rescore' | 'actions'

/** Whom to score anew. */
export type AskedRescore = Omit<RescoreTask, 'port' | 'settings'>

type NamedTask = (
  | Omit<QuestionTask, 'port'>
  | Omit<RescoreTask, 'port'>
  | Omit<ActionsTask, 'port'>
  | Omit<ThreadTask, 'port'>
) & {
  readonly name: TaskName
}

/** Where the work is done: tasks of a name, one after the other. */
interface Lane {
  run<T>(name: TaskName, task: ThreadTask): Promise<QuestionReply<T>>
  close(): Promise<void>
}

const isCompiled = import.meta.url.endsWith('.js')
const ownWorker = new URL(`./question-worker.${isCompiled ? 'js' : 'ts'}`, import.meta.url)

/**
 * A thread for questions that want an answer at once, one for those that take longer and one for what is measured before
 * anybody asks, each started by its first task. Sources that were not compiled answer in this thread: a thread can load JavaScript alone.
 *
 * @param worker another module to run in the threads, with the exports of question-worker.
 */
export function openAnswerer(settings: QuestionSettings, worker?: URL): Answerer {
  const open = worker === undefined && !isCompiled ? laneHere : () => laneInThread(worker ?? ownWorker)
  const soon = open()
  const fully = open()
  const aside = open()
  const taskOf = ({ program, question }: AskedQuestion, isFull: boolean) => ({
    ...{ program, question, settings, isFull },
  })
  const tasks = new OpenTasks()
  let waiting = 0
  let preparing = 0
  const inTurn = async <T>(task: NamedTask): Promise<T> => {
    if (waiting >= mostWaiting)
      throw failure('busy', `${waiting} questions wait for an answer already. Ask again in a moment.`)
    waiting++
    try {
      return await tasks.ask<T>(soon, task)
    } finally {
      waiting--
    }
  }
  return {
    answerSoon: (asked) => inTurn({ name: 'answer', ...taskOf(asked, false) }),
    rescore: (asked) => inTurn({ name: 'rescore', ...asked, settings }),
    answerFully: (asked, options) => tasks.ask(fully, { name: 'answer', ...taskOf(asked, true) }, options),
    actions: (asked) => tasks.ask(fully, { name: 'actions', ...asked, settings }),
    check: (asked) => inTurn({ name: 'check', ...taskOf(asked, false) }),
    prepare: async (program) => {
      preparing++
      try {
        await tasks.ask(aside, { name: 'prepare', program, settings })
      } finally {
        if (--preparing === 0) await aside.close()
      }
    },
    close: async () => {
      await tasks.stop()
      await Promise.all([soon, fully, aside].map((lane) => lane.close()))
    },
  }
}

/** Tasks that are not done, to be stopped: a thread that ended within DuckDB would take the process with it. */
class OpenTasks {
  readonly #open = new Map<MessagePort, Promise<unknown>>()

  /** Runs a task and hears of its progress. **Errors** those that its reply tells. */
  async ask<T>(
    lane: Lane,
    { name, ...task }: NamedTask,
    { onProgress, stop }: Partial<LongTaskOptions> = {},
  ): Promise<T> {
    const { port1, port2 } = new MessageChannel()
    port1.on('message', onProgress ?? (() => {}))
    port1.unref()
    stop?.addEventListener('abort', () => port1.postMessage('stop'))
    const replied = lane.run<T>(name, { ...task, port: port2 })
    this.#open.set(port1, replied)
    try {
      const reply = await replied
      if (reply.isDone) return reply.value
      throw new LoyalcastError(reply.kind, reply.code, reply.message)
    } finally {
      this.#open.delete(port1)
      port1.close()
    }
  }

  async stop(): Promise<void> {
    for (const port of this.#open.keys()) port.postMessage('stop')
    await Promise.allSettled(this.#open.values())
  }
}

function laneInThread(worker: URL): Lane {
  let thread: Piscina | null = null
  return {
    run: (name, task) => {
      thread ??= new Piscina({ filename: fileURLToPath(worker), minThreads: 1, maxThreads: 1 })
      return thread.run(task, { name, transferList: [task.port] })
    },
    close: async () => {
      const ended = thread
      thread = null
      await ended?.run(undefined, { name: 'close' })
      await ended?.destroy()
    },
  }
}

function laneHere(): Lane {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run: (name, task) => {
      const next = last.then(async () => (await import(ownWorker.href))[name](task))
      last = next.catch(() => undefined)
      return next
    },
    close: async () => {
      await last
      await (await import(ownWorker.href)).close()
    },
  }
}
