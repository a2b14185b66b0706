import type { Control } from '../control/control.ts'
import type { JobProblem, QuestionJob } from '../control/question-jobs.ts'
import { failure, LoyalcastError } from '../domain/errors.ts'
import type { Answerer, AskedQuestion } from './answerer.ts'
import type { QuestionProgress } from './question-task.ts'

/** A question for the queue. */
export interface QueuedQuestion extends AskedQuestion {
  readonly control: Control
  /** As it was asked. */
  readonly text: unknown
  /** The saved scenario that it asks. */
  readonly scenarioId: string | null
  /** The job that asked it before. @default null */
  readonly retryOf?: string | null
}

export interface QueueOptions {
  readonly answerer: Answerer
  /** ISO 8601. */
  readonly clock: () => string
  readonly makeId: () => string
  /** Hears of errors that nobody expected. */
  readonly onError: (error: unknown) => void
}

/** Jobs that wait for their turn, over all programs. */
const mostWaiting = 20

interface Job {
  readonly id: string
  readonly asked: QueuedQuestion
  /** Until it is in the control state. */
  readonly isKept: Promise<QuestionJob | null>
  readonly stopping: AbortController
  progress: QuestionProgress | null
}

/** Answers questions on everybody, one after the other, and keeps the answers in the control state. */
export class QuestionQueue {
  readonly #options: QueueOptions
  readonly #waiting: Job[] = []
  #running: Job | null = null
  #isClosed = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** Puts a question at the end. **Errors** `busy` where too many wait. */
  async add(asked: QueuedQuestion): Promise<QuestionJob> {
    const { clock, makeId } = this.#options
    if (this.#waiting.length >= mostWaiting)
      throw failure('busy', `${this.#waiting.length} jobs wait for their turn already. Ask again later.`)
    const { text: question, scenarioId, retryOf = null, control } = asked
    const id = makeId()
    const isKept = control.jobs.add({ id, question, scenarioId, retryOf, createdAt: clock() })
    this.#waiting.push({ id, asked, isKept, stopping: new AbortController(), progress: null })
    const job = await isKept
    void this.#goOn()
    return job as QuestionJob
  }

  /** Stops a job, on whatever process it is. False where it has ended already. */
  async cancel({ jobs }: Control, id: string): Promise<boolean> {
    const isCancelled = await jobs.cancel(id, this.#options.clock())
    const place = this.#waiting.findIndex((job) => job.id === id)
    if (place >= 0) this.#waiting.splice(place, 1)
    if (this.#running?.id === id) this.#running.stopping.abort()
    return isCancelled
  }

  /** How far a job is that this process answers right now; null for all others. */
  progressOf(id: string): QuestionProgress | null {
    return this.#running?.id === id ? this.#running.progress : null
  }

  /** How many jobs wait for their turn, and how many are answered right now. */
  get length(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#waiting.length, running: this.#running === null ? 0 : 1 }
  }

  /** Says of everything unfinished that it was interrupted. Close the answerer after it. */
  async close(): Promise<void> {
    this.#isClosed = true
    const unfinished = [...(this.#running ? [this.#running] : []), ...this.#waiting.splice(0)]
    for (const { id, asked } of unfinished) await asked.control.jobs.interrupt(id, this.#options.clock())
  }

  async #goOn(): Promise<void> {
    if (this.#running !== null) return
    for (;;) {
      const job = this.#waiting.shift()
      if (job === undefined) return
      this.#running = job
      await this.#answer(job).catch(this.#options.onError)
      this.#running = null
    }
  }

  async #answer(job: Job): Promise<void> {
    const { id, asked } = job
    const { answerer, clock } = this.#options
    const { jobs, scenarios } = asked.control
    await job.isKept
    await jobs.start(id, clock())
    try {
      const { json, record } = await answerer.answerFully(asked, {
        stop: job.stopping.signal,
        onProgress: (progress) => {
          job.progress = progress
          this.#stopWhereCancelled(job).catch(this.#options.onError)
        },
      })
      if (this.#isClosed || job.stopping.signal.aborted) return
      if (asked.scenarioId !== null)
        await scenarios.record(asked.scenarioId, { ...record, answeredAt: clock() })
      await jobs.finish(id, { at: clock(), json })
    } catch (error) {
      // What ends with the process has been called interrupted, and what was cancelled so.
      if (!this.#isClosed && !job.stopping.signal.aborted)
        await jobs.fail(id, { at: clock(), problem: this.#problemOf(error) })
    }
  }

  /** Another process may have been asked to cancel it. */
  async #stopWhereCancelled({ id, asked, stopping }: Job): Promise<void> {
    const job = await asked.control.jobs.find(id)
    if (job?.status === 'cancelled') stopping.abort()
  }

  #problemOf(error: unknown): JobProblem {
    if (error instanceof LoyalcastError) {
      const { kind, code, message } = error
      return { kind, code, message }
    }
    this.#options.onError(error)
    return { kind: 'failed', code: 'internal', message: 'Something unexpected went wrong.' }
  }
}
