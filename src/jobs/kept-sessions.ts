import type { Program } from '../domain/program.ts'
import { type SessionOptions, WhatIfSession } from './what-if-session.ts'

/** Programs whose sessions are kept. */
const mostKept = 4

/** The sessions of the programs that were asked of last, for a thread that answers one question after the other. */
export class KeptSessions {
  readonly #kept = new Map<string, WhatIfSession>()

  async of(program: Program, options: SessionOptions): Promise<WhatIfSession> {
    const { dataFolder, modelsFolder, isThreaded = true } = options
    const key = JSON.stringify([program.name, dataFolder, modelsFolder, isThreaded])
    const session =
      this.#kept.get(key) ?? new WhatIfSession(program, { dataFolder, modelsFolder, isThreaded })
    this.#kept.delete(key)
    this.#kept.set(key, session)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostKept) {
      const left = this.#kept.get(oldest)
      this.#kept.delete(oldest)
      await left?.close()
    }
    return session
  }

  async close(): Promise<void> {
    const sessions = [...this.#kept.values()]
    this.#kept.clear()
    for (const session of sessions) await session.close()
  }
}
