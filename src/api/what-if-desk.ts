import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Control, controlPath, openControl } from '../control/control.ts'
import type { QuestionJob } from '../control/question-jobs.ts'
import { LoyalcastError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { type Answerer, type AskedQuestion, type AskedRescore, openAnswerer } from '../jobs/answerer.ts'
import type { QuestionRecord } from '../jobs/headlines.ts'
import { QuestionQueue, type QueuedQuestion } from '../jobs/question-queue.ts'
import type { FoundActions, QuestionAnswer, QuestionProgress, Rescored } from '../jobs/question-task.ts'
import { asProblem } from './asked-question.ts'

export interface DeskOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** A folder of the server's own, gone when it ends. */
  readonly spillFolder: string
  readonly seed: number
  /** ISO 8601. */
  readonly clock: () => string
  /** New, unguessable, and safe in an address. */
  readonly makeId: () => string
  /** Hears of errors of jobs that nobody expected. */
  readonly onError: (error: unknown) => void
  /** Another module to answer in threads, for tests of what the server does meanwhile. */
  readonly questionWorker?: URL
}

/** Takes questions: answers them beside the server's own thread, and keeps scenarios and jobs. */
export class WhatIfDesk {
  readonly #options: DeskOptions
  readonly #answerer: Answerer
  readonly #queue: QuestionQueue
  readonly #controls = new Map<string, Promise<Control>>()
  /** Program → the version and the latest day that was prepared for, known with the first answer. */
  readonly #prepared = new Map<string, Pick<QuestionRecord, 'modelVersion' | 'date'> | null>()

  constructor(options: DeskOptions) {
    const { dataFolder, modelsFolder, spillFolder, seed, questionWorker } = options
    const settings = { dataFolder, modelsFolder, scratchFolder: join(spillFolder, 'questions'), seed }
    this.#options = options
    this.#answerer = openAnswerer(settings, questionWorker)
    this.#queue = new QuestionQueue({ ...options, answerer: this.#answerer })
  }

  get clock(): () => string {
    return this.#options.clock
  }

  get makeId(): () => string {
    return this.#options.makeId
  }

  /** What is kept of a program, opened when it is first needed. Jobs that an ended process left are interrupted then. */
  control(program: Program): Promise<Control> {
    const known = this.#controls.get(program.name)
    if (known) return known
    const opened = this.#open(program)
    this.#controls.set(program.name, opened)
    opened.catch(() => this.#controls.delete(program.name))
    return opened
  }

  /** Whether what is kept of a program can be read. Nothing kept yet is no trouble. */
  async isReadable(program: Program): Promise<boolean> {
    if (!existsSync(controlPath(this.#options.dataFolder, program))) return true
    return this.control(program).then(
      () => true,
      () => false,
    )
  }

  async #open(program: Program): Promise<Control> {
    const control = await openControl(this.#options.dataFolder, program)
    await control.jobs.interruptAbandoned(this.clock())
    return control
  }

  /** Answers on a sample. **Errors** `invalid-question`, `no-predictions`, `busy`. */
  async answer(asked: AskedQuestion): Promise<QuestionAnswer> {
    const answered = await this.#answerer.answerSoon(asked).catch(throwProblem)
    const { program } = asked
    const before = this.#prepared.get(program.name)
    if (before === undefined) return answered
    const { modelVersion, date } = answered.record
    const isOther = before?.modelVersion !== modelVersion || before.date < date
    if (isOther) this.#prepared.set(program.name, answered.record)
    if (isOther && before !== null) this.prepare(program)
    return answered
  }

  /** Has measured, beside everything else, what questions will need; again once another version serves or a day lands. */
  prepare(program: Program): void {
    if (!this.#prepared.has(program.name)) this.#prepared.set(program.name, null)
    // Whoever asks what could not be measured is told why.
    this.#answerer.prepare(program).catch((error) => {
      if (!(error instanceof LoyalcastError)) this.#options.onError(error)
    })
  }

  /** Refuses what the data do not know. **Errors** as {@link answer}. */
  async check(asked: AskedQuestion): Promise<void> {
    return this.#answerer.check(asked).catch(throwProblem)
  }

  /** Scores a customer with all that is known now; null where nobody knows the customer. **Errors** `no-predictions`, `busy`. */
  async rescore(asked: AskedRescore): Promise<Rescored | null> {
    return this.#answerer.rescore(asked).catch(throwProblem)
  }

  /** Finds the next best action of everybody. **Errors** `no-predictions`. */
  async actions(asked: { readonly program: Program; readonly path: string }): Promise<FoundActions> {
    return this.#answerer.actions(asked).catch(throwProblem)
  }

  /** Makes a job of a question. **Errors** `busy`. */
  async queue(asked: Omit<QueuedQuestion, 'control'>): Promise<QuestionJob> {
    const control = await this.control(asked.program)
    return this.#queue.add({ ...asked, control }).catch(throwProblem)
  }

  /** Stops a job. False where it has ended already. */
  async cancel(program: Program, id: string): Promise<boolean> {
    return this.#queue.cancel(await this.control(program), id)
  }

  /** Of the jobs of all programs. */
  get queueLength(): QuestionQueue['length'] {
    return this.#queue.length
  }

  progressOf(id: string): QuestionProgress | null {
    return this.#queue.progressOf(id)
  }

  /** Interrupts jobs, and begins no other: what answers last may still be asked about them. */
  interrupt(): Promise<void> {
    return this.#queue.close()
  }

  /** Interrupts jobs and closes everything. */
  async close(): Promise<void> {
    await this.#queue.close()
    await this.#answerer.close()
    // What could not be opened was told to whoever asked for it.
    for (const opened of this.#controls.values())
      await opened.then(
        (control) => control.close(),
        () => undefined,
      )
  }
}

function throwProblem(error: unknown): never {
  throw asProblem(error)
}
