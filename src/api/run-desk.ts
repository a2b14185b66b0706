import type { Program } from '../domain/program.ts'
import type { RunRecord } from '../domain/run.ts'
import type { RunQueue, WantedRun } from '../jobs/runs/run-queue.ts'
import { lakeFolder } from '../lake/lake.ts'
import { RunRecords } from '../lake/run-records.ts'
import { asProblem } from './asked-question.ts'

export interface RunDeskOptions {
  readonly dataFolder: string
  readonly clock: () => string
  readonly queue: RunQueue
  /** Begins to add what the schedules of programs want; gives what ends it. */
  readonly startSchedule: () => () => Promise<void>
}

/** Takes daily runs and trainings, which are done elsewhere, and knows how they are. */
export class RunDesk {
  readonly #options: RunDeskOptions
  #stopSchedule = async () => {}

  constructor(options: RunDeskOptions) {
    this.#options = options
  }

  /** Begins to add what schedules want. */
  start(): void {
    this.#stopSchedule = this.#options.startSchedule()
  }

  /** Of a program. */
  records(program: Program): RunRecords {
    return new RunRecords(lakeFolder(this.#options.dataFolder, program))
  }

  /** **Errors** `busy` where too many wait. */
  async add(program: Program, wanted: Pick<WantedRun, 'asked' | 'retryOf'>): Promise<RunRecord> {
    const run = await this.#options.queue.add(program, { ...wanted, cause: 'api' }).catch((error) => {
      throw asProblem(error)
    })
    return run as RunRecord
  }

  /** False where it has ended already. */
  cancel(program: Program, number: number): Promise<boolean> {
    return this.records(program).cancel(number, this.#options.clock())
  }

  async close(): Promise<void> {
    await this.#stopSchedule()
    await this.#options.queue.close()
  }
}
