import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentReporter } from '../domain/progress.ts'
import {
  isOpen,
  type RunProblem,
  type RunProgress,
  type RunRecord,
  type RunResult,
  readProgress,
  runRecordSchema,
} from '../domain/run.ts'
import { writeNew, writeWhole } from './durable-files.ts'
import { isLocked, type Release, takeLock, whileLocked } from './lock.ts'

/** Runs that are kept: the latest of a program. */
const mostKept = 200

/** Bytes that are kept free while a run goes on, so that what a full disk did to it can be told. */
const reservedBytes = 16 * 1024

/** A run to be added. */
export type NewRun = Pick<RunRecord, 'asked' | 'cause' | 'retryOf' | 'queue' | 'createdAt'>

/** Who keeps a run going: the process that does the work, or one that sees to it that it is done. */
export type RunHolder = (typeof holders)[number]
const holders = ['runner', 'keeper'] as const

/** A run that has just been added. */
export interface AddedRun {
  readonly run: RunRecord
  /** Lets go of it. */
  readonly release: Release
}

/** How a run ended. */
export interface RunEnd {
  readonly status: 'done' | 'failed' | 'cancelled' | 'interrupted'
  /** ISO 8601. */
  readonly at: string
  readonly result?: RunResult
  readonly problem?: RunProblem
}

/**
 * The runs of a program, as small files in its lake: every process on every machine that shares the lake sees them.
 *
 * A run is going on while somebody holds one of its two locks: whoever is killed need not say so. What was asked to be
 * cancelled and then died was cancelled, any other one interrupted.
 */
export class RunRecords {
  readonly #folder: string

  constructor(lakeFolder: string) {
    this.#folder = join(lakeFolder, 'run-records')
  }

  /** All that are kept, newest first. */
  async list(): Promise<RunRecord[]> {
    return Promise.all((await this.#readAll()).map((record) => this.#asItIs(record)))
  }

  /** Null where there is none of that number, or it is no longer kept. */
  async find(number: number): Promise<RunRecord | null> {
    const record = await this.#read(number)
    return record && this.#asItIs(record)
  }

  /** Adds a run, held by this process unless it is for a queue in Redis, and forgets the oldest. */
  async add(run: NewRun, options: { readonly holder: RunHolder }): Promise<AddedRun> {
    return (await this.addUnless(run, { ...options, isNeedless: () => false })) as AddedRun
  }

  /** The same, but null where the runs that there are make it needless: of several processes that ask at once, one adds it. */
  async addUnless(
    run: NewRun,
    { holder, isNeedless }: { holder: RunHolder; isNeedless: (runs: readonly RunRecord[]) => boolean },
  ): Promise<AddedRun | null> {
    return this.#alone(async () => {
      const known = await this.list()
      if (isNeedless(known)) return null
      const none = { startedAt: null, finishedAt: null, progress: null, result: null, problem: null }
      for (let number = (known[0]?.number ?? 0) + 1; ; number++) {
        const record: RunRecord = { number, ...run, ...none, status: 'queued', attempts: 0 }
        const release = run.queue === 'redis' ? async () => {} : await this.hold(number, holder)
        if (release === null) continue
        const isNew = await writeNew(this.#pathOf(number), JSON.stringify(record)).catch(async (error) => {
          await release()
          throw error
        })
        if (!isNew) {
          await release()
          continue
        }
        await this.#tidy(known)
        return { run: record, release }
      }
    })
  }

  /** Keeps a run from being called interrupted, until it is released or this process ends; null where another one does. */
  hold(number: number, holder: RunHolder): Promise<Release | null> {
    return takeLock(this.#pathOf(number, `.${holder}`))
  }

  /** Says that the work begins. False where nothing is to be done any more. */
  async start(number: number, at: string): Promise<boolean> {
    const begun = await this.#change(number, (run) =>
      isOpen(run)
        ? { ...run, status: 'running', startedAt: run.startedAt ?? at, attempts: run.attempts + 1 }
        : null,
    )
    if (begun) await writeFile(this.#pathOf(number, '.reserve'), Buffer.alloc(reservedBytes)).catch(() => {})
    return begun !== null
  }

  /** Says that it waits again. */
  async requeue(number: number): Promise<void> {
    await this.#change(number, (run) => (isOpen(run) ? { ...run, status: 'queued' } : null))
  }

  /** Says how it ended, unless that was said before. */
  async end(number: number, { at, ...end }: RunEnd): Promise<void> {
    await rm(this.#pathOf(number, '.reserve'), { force: true })
    await this.#change(number, (run) => (isOpen(run) ? { ...run, ...end, finishedAt: at } : null))
    await this.#forgetWork(number)
  }

  /** Notes how far it is. Only for people: it may be lost. */
  async note(number: number, progress: RunProgress): Promise<void> {
    await writeFile(this.#pathOf(number, '.progress'), JSON.stringify(progress)).catch(() => {})
  }

  /** Has a run end that is going on, or not begin. False where it has ended already. */
  cancel(number: number, at: string): Promise<boolean> {
    return this.#alone(async () => {
      const run = await this.find(number)
      if (run === null || !isOpen(run)) return false
      if (run.status === 'running') await writeNew(this.#pathOf(number, '.cancel'), at)
      else await this.#write({ ...run, status: 'cancelled', finishedAt: at })
      return true
    })
  }

  /** Whether somebody wants it to end. Quick: it is asked for again and again. */
  isUnwanted(number: number): boolean {
    return existsSync(this.#pathOf(number, '.cancel'))
  }

  /** Changes a record unless the change is null, alone among all processes. */
  #change(number: number, change: (run: RunRecord) => RunRecord | null): Promise<RunRecord | null> {
    return this.#alone(async () => {
      const run = await this.#read(number)
      const changed = run && change(run)
      if (changed) await this.#write(changed)
      return changed
    })
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return whileLocked(this.#folder, { reporter: silentReporter }, work)
  }

  /** What is true now of a run that may have died since it was written. */
  async #asItIs(run: RunRecord): Promise<RunRecord> {
    const { number, queue, status } = run
    if (!isOpen(run) || (status === 'queued' && queue === 'redis')) return run
    const isHeld = await Promise.all(holders.map((holder) => isLocked(this.#pathOf(number, `.${holder}`))))
    if (isHeld.includes(true)) {
      const noted = await readFile(this.#pathOf(number, '.progress'), 'utf8').catch(() => '')
      return { ...run, progress: readProgress(noted) }
    }
    const finishedAt = await readFile(this.#pathOf(number, '.cancel'), 'utf8').catch(() => null)
    if (finishedAt !== null) return { ...run, status: 'cancelled', finishedAt }
    // The queue gives it to the next worker.
    if (queue === 'redis') return { ...run, status: 'queued' }
    // It may have ended since it was read.
    const latest = await this.#read(number)
    return latest && !isOpen(latest) ? latest : { ...run, status: 'interrupted' }
  }

  /** Writes down which runs have died, and forgets the oldest and what killed processes left. @param known as they are now. */
  async #tidy(known: readonly RunRecord[]): Promise<void> {
    for (const run of known) {
      const written = isOpen(run) ? null : await this.#read(run.number)
      if (written && isOpen(written)) await this.#write(run)
    }
    for (const { number } of known.slice(mostKept - 1).filter((run) => !isOpen(run)))
      await rm(this.#pathOf(number), { force: true })
    const open = new Set(known.filter(isOpen).map(({ number }) => number))
    const names = await readdir(this.#folder)
    for (const name of names) if (name.endsWith('.tmp')) await rm(join(this.#folder, name), { force: true })
    const working = names
      .filter((name) => /^\d+\.(?!json)/.test(name))
      .map((name) => Number.parseInt(name, 10))
    for (const number of new Set(working))
      if (number <= (known[0]?.number ?? 0) && !open.has(number)) await this.#forgetWork(number)
  }

  /** Removes what only counts while a run goes on. */
  async #forgetWork(number: number): Promise<void> {
    for (const ending of ['.cancel', '.progress', '.reserve'])
      await rm(this.#pathOf(number, ending), { force: true })
    // Whoever can take a lock takes it from the dead.
    for (const holder of holders) await (await this.hold(number, holder))?.()
  }

  async #readAll(): Promise<RunRecord[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const numbers = names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number)
    const read = await Promise.all(numbers.sort((a, b) => b - a).map((number) => this.#read(number)))
    return read.filter((record) => record !== null)
  }

  async #read(number: number): Promise<RunRecord | null> {
    const text = await readFile(this.#pathOf(number), 'utf8').catch(() => null)
    return text === null ? null : readRecord(text)
  }

  async #write(run: RunRecord): Promise<void> {
    await writeWhole(this.#pathOf(run.number), JSON.stringify({ ...run, progress: null }))
  }

  #pathOf(number: number, ending = '.json'): string {
    return join(this.#folder, `${number}${ending}`)
  }
}

/** Null where something else was written there: no run is kept from beginning by the record of another one. */
function readRecord(text: string): RunRecord | null {
  try {
    return runRecordSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}
