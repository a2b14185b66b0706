import type { FastifyInstance } from 'fastify'
import { Problem } from './problems.ts'

/** When a client may try again, in seconds: another server, or this one after its restart. */
const retryAfterSeconds = 5

/** Lets the requests at hand end while new ones are refused. */
export class Draining {
  #isBegun = false
  #atHand = 0
  #whenEmpty: (() => void) | null = null

  /** How many requests are being answered. */
  get atHand(): number {
    return this.#atHand
  }

  /** Counts requests, and refuses them once the end has begun. Add it before all other hooks. */
  watch(app: FastifyInstance): void {
    app.addHook('onRequest', async (_, reply) => {
      if (this.#isBegun) {
        reply.header('connection', 'close').header('retry-after', String(retryAfterSeconds))
        throw new Problem('unavailable', 'The server is being stopped and takes no new requests.')
      }
      this.#atHand++
      // Of an answer that was sent, and of a client that left.
      reply.raw.once('close', () => {
        this.#atHand--
        if (this.#atHand === 0) this.#whenEmpty?.()
      })
    })
    app.addHook('onSend', async (_, reply) => {
      if (this.#isBegun) reply.header('connection', 'close')
    })
  }

  /** Refuses new requests from now on. Resolves to true when all at hand are answered, to false after `longestMs`. */
  async begin(longestMs: number): Promise<boolean> {
    this.#isBegun = true
    if (this.#atHand === 0) return true
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
      timer = setTimeout(resolve, longestMs)
    })
    clearTimeout(timer)
    return this.#atHand === 0
  }
}
