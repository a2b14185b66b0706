import { LoyalcastError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Database } from '../lake/database.ts'
import { LakeReader } from '../lake/lake-reader.ts'
import { openScratchDatabase, type ScratchDatabase, withScratchDatabase } from '../lake/scratch-database.ts'
import { type ModelCard, ModelCards } from '../model/model-cards.ts'
import type { Predictor } from '../model/predictor.ts'
import { Registry } from '../model/registry.ts'
import { loadChampion } from '../model/stored-predictor.ts'
import { type Forecaster, forecasterHere } from '../simulation/forecast.ts'
import { openForecastThreads } from '../simulation/forecast-threads.ts'
import type { Asked } from '../simulation/question.ts'
import { Workplace } from '../simulation/workplace.ts'
import { MeasuredStore } from './measured-store.ts'

/** The version that serves. */
interface Served {
  readonly version: string
  readonly predictor: Predictor
  readonly card: ModelCard | null
  readonly forecaster: Forecaster
}

/** What a question is asked of, as it is now. */
export interface OpenedSession {
  readonly asked: Asked
  readonly version: string
  readonly card: ModelCard | null
}

export interface SessionOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Whether forecasts are made in threads of their own, which takes a second to start. @default true */
  readonly isThreaded?: boolean
}

export interface PlaceRequest {
  /** Folder that databases spill into. */
  readonly parent: string
  /** Whether the place is kept for the next question, with the population that is open on it. */
  readonly isKept: boolean
  /** Ends the work before it is done. */
  readonly signal?: AbortSignal
}

/**
 * Keeps what questions of a program are answered from: the version that serves, loaded, and the lake. Either is read anew
 * once another version serves or the lake has another commit. Several questions may go on at once. Close it in the end.
 */
export class WhatIfSession {
  readonly #program: Program
  readonly #options: SessionOptions
  readonly #lakes: LakeReader
  readonly #registry: Registry
  #served: Promise<Served> | null = null
  #place: { readonly scratch: ScratchDatabase; readonly workplace: Workplace } | null = null
  #isPlaceTaken = false

  constructor(program: Program, options: SessionOptions) {
    this.#program = program
    this.#options = options
    this.#lakes = new LakeReader(options.dataFolder, program)
    this.#registry = new Registry(options.modelsFolder, program.name)
  }

  /** **Errors** `no-model`, those of reading the lake. */
  async current(): Promise<OpenedSession> {
    const { predictor, version, card, forecaster } = await this.#current()
    const lake = await this.#lakes.current()
    const store = new MeasuredStore(lake.folder, version)
    const keep: Asked['keep'] = (name, make) => store.keep(name, make)
    const trainedAsOf = card?.data.asOf ?? null
    const asked = { program: this.#program, lake, predictor, forecaster, keep, trainedAsOf }
    return { asked, version, card }
  }

  async #current(): Promise<Served> {
    const known = await this.#served
    if (known !== null && known.version === (await this.#registry.champion())) return known
    // Two questions at once load a version once.
    if (known === (await this.#served)) this.#served = this.#load(known)
    const served = this.#served as Promise<Served>
    served.catch(() => {
      if (this.#served === served) this.#served = null
    })
    return served
  }

  async #load(before: Served | null): Promise<Served> {
    const { modelsFolder, isThreaded = true } = this.#options
    const { predictor, version } = await loadChampion(modelsFolder, this.#program)
    const card = await new ModelCards(this.#registry).read(version)
    const threads = isThreaded ? openForecastThreads(this.#program, this.#registry.folderOf(version)) : null
    await before?.forecaster.close()
    return { predictor, version, card, forecaster: threads ?? forecasterHere(this.#program, predictor) }
  }

  /** Runs `work` where the last question was answered: asked of the same customers again, it finds them there. */
  async withWorkplace<T>(
    { parent, isKept, signal }: PlaceRequest,
    work: (workplace: Workplace) => Promise<T>,
  ): Promise<T> {
    if (!isKept || this.#isPlaceTaken)
      return withScratchDatabase(parent, this.#program, (database) =>
        stoppedBy(signal, database, () => work(new Workplace(database))),
      )
    this.#isPlaceTaken = true
    try {
      if (this.#place === null) {
        const scratch = await openScratchDatabase(parent, this.#program)
        this.#place = { scratch, workplace: new Workplace(scratch.database) }
      }
      const { workplace } = this.#place
      return await stoppedBy(signal, workplace.database, () => work(workplace))
    } catch (error) {
      // A wrong question leaves the place as it was.
      if (!(error instanceof LoyalcastError) || error.kind !== 'usage') await this.#leavePlace()
      throw error
    } finally {
      this.#isPlaceTaken = false
    }
  }

  async #leavePlace(): Promise<void> {
    const place = this.#place
    this.#place = null
    await place?.scratch.close()
  }

  async close(): Promise<void> {
    await this.#leavePlace()
    const served = await this.#served?.catch(() => null)
    this.#served = null
    await served?.forecaster.close()
  }
}

/** Runs `work`, and stops its database as soon as it is to end. */
async function stoppedBy<T>(
  signal: AbortSignal | undefined,
  database: Database,
  work: () => Promise<T>,
): Promise<T> {
  const stop = () => database.stop()
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await work()
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
