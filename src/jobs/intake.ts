import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { IdempotencyKey, KeptAnswer } from '../control/kept-answers.ts'
import type { ListedRefusal } from '../control/refused-lines.ts'
import { failure } from '../domain/errors.ts'
import type { AnswerTask, ReceiveReply } from './intake-worker.ts'
import type { RowRequest } from './receive-rows.ts'

export interface IntakeOptions {
  readonly dataFolder: string
  /** ISO 8601. */
  readonly clock: () => string
  /** New, and unguessable. */
  readonly makeId: () => string
}

/** Rows that are sent, before they have a time and a name. */
export type SentRows = Omit<RowRequest, 'now' | 'batchId'>

/** Requests that wait for the disk, or are read from the network. */
const mostWaiting = 64

const isCompiled = import.meta.url.endsWith('.js')
const worker = new URL(`./intake-worker.${isCompiled ? 'js' : 'ts'}`, import.meta.url)

/**
 * Takes rows into the inboxes of programs, in a thread of its own: reading rows and waiting for the disk hold up nobody
 * else. Sources that were not compiled work in this thread: a thread can load JavaScript alone.
 */
export class Intake {
  readonly #options: IntakeOptions
  #thread: Piscina | null = null
  #waiting = 0

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Counts a request that is about to be read. Call what it returns when it is answered. **Errors** `busy` */
  enter(): () => void {
    if (this.#waiting >= mostWaiting)
      throw failure('busy', `${this.#waiting} requests wait to be written already. Send this one again soon.`)
    this.#waiting++
    let isIn = true
    return () => {
      if (isIn) this.#waiting--
      isIn = false
    }
  }

  /** Keeps rows. What it says is accepted is on the disk. **Errors** those of the disk */
  receive(sent: SentRows): Promise<ReceiveReply> {
    const { dataFolder, clock, makeId } = this.#options
    return this.#run('receive', { dataFolder, request: { ...sent, now: clock(), batchId: makeId() } })
  }

  /** What was refused, newest first. */
  refused(
    program: string,
    page: { readonly after: number | null; readonly limit: number },
  ): Promise<ListedRefusal[]> {
    const { dataFolder, makeId } = this.#options
    return this.#run('listRefused', { dataFolder, program, newId: makeId(), page })
  }

  /** What was answered under a key within a day; `other`: something else was asked. */
  findAnswer(program: string, key: IdempotencyKey): Promise<KeptAnswer | 'other' | null> {
    return this.#run('findAnswer', this.#answerTask(program, key))
  }

  /** Keeps an answer for who asks again. */
  keepAnswer(program: string, key: IdempotencyKey, answer: KeptAnswer): Promise<void> {
    return this.#run('keepAnswer', { ...this.#answerTask(program, key), answer })
  }

  #answerTask(program: string, key: IdempotencyKey): AnswerTask {
    const { dataFolder, clock, makeId } = this.#options
    return { dataFolder, program, newId: makeId(), key, now: clock() }
  }

  async #run<T>(name: string, task: object): Promise<T> {
    if (!isCompiled) return (await import(worker.href))[name](task)
    this.#thread ??= new Piscina({
      filename: fileURLToPath(worker),
      minThreads: 1,
      maxThreads: 1,
      // What waits together goes to the disk together.
      concurrentTasksPerWorker: mostWaiting,
    })
    return this.#thread.run(task, { name })
  }

  /** Waits for what is at hand. */
  async close(): Promise<void> {
    if (!isCompiled) return (await import(worker.href)).close()
    await this.#thread?.run(undefined, { name: 'close' })
    await this.#thread?.destroy()
  }
}
