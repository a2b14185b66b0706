import type { DispatcherOptions } from './dispatcher.ts'
import { WebhookDispatcher } from './dispatcher.ts'

export interface LoopOptions extends Omit<DispatcherOptions, 'onDone'> {
  /** Between two looks at what is new, in milliseconds. */
  readonly intervalMs: number
}

/** Steps a dispatcher for as long as the process serves: every so often, when something is due sooner, and when asked. */
export class DispatchLoop {
  readonly #dispatcher: WebhookDispatcher
  readonly #options: LoopOptions
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #isWanted = false
  #isClosed = false

  constructor(options: LoopOptions) {
    this.#options = options
    this.#dispatcher = new WebhookDispatcher({ ...options, onDone: () => this.wake() })
  }

  /** Begins, or looks at once instead of later. */
  wake(): void {
    if (this.#isClosed) return
    if (this.#running !== null) {
      this.#isWanted = true
      return
    }
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#running = this.#dispatcher.tick().finally(() => {
      this.#running = null
      if (this.#isWanted) {
        this.#isWanted = false
        this.wake()
      } else if (!this.#isClosed) {
        this.#timer = setTimeout(() => this.wake(), this.#options.intervalMs)
        this.#timer.unref()
      }
    })
  }

  /** Begins nothing more; waits for what is being sent. Close the sender to break it off. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
    await this.#dispatcher.close()
  }
}
