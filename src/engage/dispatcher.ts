import type { Control } from '../control/control.ts'
import type { DueDelivery } from '../control/webhook-deliveries.ts'
import { fateOf, processName } from '../lake/process-name.ts'
import { judgeAttempt } from './delivery.ts'
import { gather } from './gather.ts'
import type { Sender } from './sender.ts'
import { signedHeaders } from './signing.ts'
import type { WebhookSource } from './webhook-source.ts'

export interface DispatcherOptions {
  /** What is kept of the program; null where nothing is yet. */
  readonly control: () => Promise<Control | null>
  /** Where its events come from. */
  readonly sourcesOf: (control: Control) => readonly WebhookSource[]
  readonly sender: Sender
  /** The time, ISO 8601. */
  readonly clock: () => string
  /** A number from 0 to 1. */
  readonly random: () => number
  /** Milliseconds since some moment. */
  readonly stopwatch: () => number
  readonly makeId: () => string
  /** Hears of errors that nobody expected, each once until it changes. */
  readonly onError: (error: unknown) => void
  /** Called when a delivery has ended, so that the next one can begin. */
  readonly onDone?: () => void
}

/** Deliveries to one endpoint at a time. There are few endpoints, so that together they stay few. */
const mostAtOnce = 3
const leaseName = 'webhooks'
/** Longer than a delivery takes: one that outlives its process is not sent twice at the same time. */
const leaseMs = 30_000
const renewBelowMs = 20_000
const keptMs = 30 * 24 * 60 * 60 * 1000
const sweepEveryMs = 60 * 60 * 1000

/**
 * Sends the webhooks of a program, one step at a time: {@link tick} turns new events into messages and begins to send
 * what is due; {@link settle} waits for what was begun. Of several processes one is at work, which holds the lease.
 *
 * Everything is kept before and after it is sent: a process that is killed at any time loses nothing, and what it was
 * sending is sent again under the same id.
 */
export class WebhookDispatcher {
  readonly #options: DispatcherOptions
  readonly #atHand = new Map<number, { readonly endpointId: string; readonly done: Promise<void> }>()
  readonly #said = new Map<string, string>()
  readonly #holder: Promise<string>
  #sources: readonly WebhookSource[] | null = null
  #sweptAt = 0
  #isClosed = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    const id = options.makeId()
    this.#holder = processName().then((process) => `${id} ${process}`)
  }

  /** Gathers and begins what is due. It does not wait for answers, and what goes wrong is said, not thrown. */
  async tick(): Promise<void> {
    try {
      const control = await this.#options.control()
      if (control === null || (await control.webhooks.endpoints.count()) === 0) return
      if (!(await this.#holdLease(control))) return
      this.#sources ??= this.#options.sourcesOf(control)
      for (const source of this.#sources) await this.#gather(control, source)
      await this.#begin(control)
      await this.#sweep(control)
      this.#said.delete('tick')
    } catch (error) {
      this.#say('tick', error)
    }
  }

  /** Waits until everything that was begun has ended. */
  async settle(): Promise<void> {
    await Promise.all([...this.#atHand.values()].map(({ done }) => done))
  }

  /** Begins nothing more and lets another process go on. What is at hand has ended, or been broken off, by then. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.settle()
    // A lease that cannot be given back ends by itself.
    try {
      const control = await this.#options.control()
      await control?.webhooks.leases.release(leaseName, await this.#holder)
    } catch (error) {
      this.#say('close', error)
    }
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString()
  }

  async #holdLease({ webhooks: { leases } }: Control): Promise<boolean> {
    const holder = await this.#holder
    const now = this.#now()
    const held = await leases.find(leaseName)
    const leftMs = Date.parse(held?.expiresAt ?? now) - Date.parse(now)
    if (held?.holder === holder && leftMs > renewBelowMs) return true
    if (held !== null && held.holder !== holder && leftMs > 0) {
      const process = held.holder.slice(held.holder.indexOf(' ') + 1)
      if ((await fateOf(process)) !== 'gone') return false
      await leases.release(leaseName, held.holder)
    }
    const until = new Date(Date.parse(now) + leaseMs).toISOString()
    return leases.take(leaseName, { holder, now, until })
  }

  /** What one source cannot tell keeps neither the others back nor what is due. */
  async #gather({ webhooks }: Control, source: WebhookSource): Promise<void> {
    const onError = (error: unknown) => this.#say(source.name, error)
    const { makeId } = this.#options
    await gather(webhooks, source, { now: this.#now(), makeId, onError }).catch(onError)
  }

  async #begin(control: Control): Promise<void> {
    const { deliveries } = control.webhooks
    const now = this.#now()
    for (const endpointId of await deliveries.endpointsDue(now)) {
      const atHand = [...this.#atHand].filter(([, one]) => one.endpointId === endpointId)
      const except = atHand.map(([number]) => number)
      const limit = mostAtOnce - atHand.length
      if (limit <= 0) continue
      for (const due of await deliveries.due(endpointId, { now, limit, except })) {
        if (this.#isClosed) return
        this.#atHand.set(due.number, { endpointId, done: this.#deliver(control, due) })
      }
    }
  }

  async #deliver(control: Control, due: DueDelivery): Promise<void> {
    const { sender, stopwatch, random, onDone } = this.#options
    try {
      const { messageId, payload, endpoint } = due
      const at = this.#now()
      const headers = signedHeaders(endpoint, { messageId, payload, at })
      const start = stopwatch()
      const result = await sender.send({ url: endpoint.url, headers, body: payload })
      const ms = Math.round(stopwatch() - start)
      // Nobody knows what became of it: it is sent again.
      if (sender.isStopped && result.status === null) {
        this.#atHand.delete(due.number)
        return
      }
      const tried = { result, at, answeredAt: this.#now(), ms, random: random() }
      await control.webhooks.deliveries.record(due, judgeAttempt(due, tried))
      this.#atHand.delete(due.number)
      onDone?.()
    } catch (error) {
      // Where nothing can be kept nothing should be sent over and over: the next tick comes soon enough.
      this.#atHand.delete(due.number)
      this.#say('delivery', error)
    }
  }

  async #sweep({ webhooks }: Control): Promise<void> {
    const now = Date.parse(this.#now())
    if (now - this.#sweptAt < sweepEveryMs) return
    this.#sweptAt = now
    await webhooks.deliveries.sweep(new Date(now - keptMs).toISOString())
  }

  /** Something that goes wrong again and again is said once. */
  #say(about: string, error: unknown): void {
    const words = String(error)
    if (this.#said.get(about) === words) return
    this.#said.set(about, words)
    this.#options.onError(error)
  }
}
