import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FoundActions } from '../jobs/question-task.ts'
import { type Database, quoteText } from '../lake/database.ts'
import { Problem } from './problems.ts'
import type { ServedProgram } from './served-program.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

/** What was found for everybody of a program, and from what. */
interface Found extends FoundActions {
  readonly key: string
  readonly path: string
}

interface State {
  found: Found | null
  /** What is being found now; null: nothing. */
  finding: string | null
  /** Why nothing could be found, and from what. */
  failed: { readonly key: string; readonly problem: Problem } | null
}

/** The next best action of a customer, and for when it was found. */
export interface ServedAction extends FoundActions {
  readonly row: Readonly<Record<string, string | number | null>>
}

/**
 * Next best actions, found for everybody at once: that takes long, so it is done beside requests when somebody asks
 * first, and again once another version serves or the lake has changed. Meanwhile the ones before are told.
 */
export class ServedActions {
  readonly #desk: WhatIfDesk
  readonly #database: Database
  readonly #folder: string
  readonly #states = new Map<string, State>()
  #made = 0

  constructor(desk: WhatIfDesk, { database, folder }: { database: Database; folder: string }) {
    this.#desk = desk
    this.#database = database
    this.#folder = folder
  }

  /** Null where nobody of that id is at risk. **Errors** `busy` until they are found for the first time. */
  async find(served: ServedProgram, customerId: string): Promise<ServedAction | null> {
    const state = this.#stateOf(served)
    const key = await served.readDay(undefined, async ({ lake }, day) =>
      JSON.stringify([day.path, lake.state.sequence, await served.registry.champion()]),
    )
    if (state.found?.key !== key && state.finding === null && state.failed?.key !== key)
      this.#begin(served, state, key)
    if (state.found === null) {
      if (state.failed?.key === key) throw state.failed.problem
      throw new Problem(
        'busy',
        'Next best actions are being worked out for everybody, which takes up to a few minutes. Ask again later.',
      )
    }
    const { path, key: _, ...told } = state.found
    const [row] = await this.#database.rows<ServedAction['row']>(
      `select * exclude (program, date) from read_parquet(${quoteText(path)}) where customer_id = $customer`,
      { customer: customerId },
    )
    return row === undefined ? null : { ...told, row }
  }

  #stateOf({ program }: ServedProgram): State {
    const known = this.#states.get(program.name)
    if (known) return known
    const state: State = { found: null, finding: null, failed: null }
    this.#states.set(program.name, state)
    return state
  }

  #begin({ program }: ServedProgram, state: State, key: string): void {
    state.finding = key
    const path = join(this.#folder, `actions-${++this.#made}.parquet`)
    this.#desk
      .actions({ program, path })
      .then((told) => {
        const before = state.found
        state.found = { ...told, key, path }
        if (before) void rm(before.path, { force: true })
      })
      .catch((error) => {
        const words = 'Next best actions could not be worked out.'
        state.failed = { key, problem: error instanceof Problem ? error : new Problem('unavailable', words) }
      })
      .finally(() => {
        state.finding = null
      })
  }
}
