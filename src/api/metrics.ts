import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { endOfDay } from '../domain/days.ts'
import { codeVersion } from '../domain/version.ts'
import { finalStatus } from './audit-trail.ts'
import type { ServedProgram } from './served-program.ts'

/** Upper bounds of how long answers take, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What Prometheus is told: requests, the process, and what a scrape looks up of each program. */
export class Metrics {
  readonly #register = new Registry()
  readonly #requests = new Counter({
    name: 'loyalcast_http_requests_total',
    help: 'Requests that ended, by pattern of the route; those broken off have the status 499',
    labelNames: ['method', 'route', 'status'],
    registers: [this.#register],
  })
  readonly #seconds = new Histogram({
    name: 'loyalcast_http_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer',
    labelNames: ['method', 'route'],
    buckets,
    registers: [this.#register],
  })
  readonly #inFlight = new Gauge({
    name: 'loyalcast_http_requests_in_flight',
    help: 'Requests that are being answered',
    registers: [this.#register],
  })

  constructor() {
    collectDefaultMetrics({ register: this.#register })
    new Gauge({
      name: 'loyalcast_info',
      help: 'Always 1; the version is a label',
      labelNames: ['version'],
      registers: [this.#register],
    }).set({ version: codeVersion }, 1)
  }

  /** Measures all requests. Add it before the hooks that may refuse them. */
  watch(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      this.#inFlight.inc()
      reply.raw.once('close', () => {
        // What is not there has no pattern, and any number of addresses.
        const labels = { method: request.method, route: request.routeOptions.url ?? 'none' }
        this.#inFlight.dec()
        this.#requests.inc({ ...labels, status: finalStatus(request, reply) })
        this.#seconds.observe(labels, reply.elapsedTime / 1000)
      })
    })
  }

  get contentType(): string {
    return this.#register.contentType
  }

  /** Everything, in Prometheus' text format. @param now ISO 8601. */
  async text(scraped: Scraped): Promise<string> {
    const own = await readPrograms(scraped)
    return `${await this.#register.metrics()}\n${await own.metrics()}`
  }

  /** Forgets everything, so that nothing goes on measuring. */
  close(): void {
    this.#register.clear()
  }
}

/** What is looked up for a scrape. */
export interface Scraped {
  /** Those that whoever asks may know of. */
  readonly programs: readonly ServedProgram[]
  readonly queue: { readonly waiting: number; readonly running: number }
  /** ISO 8601. */
  readonly now: string
}

async function readPrograms({ programs, queue, now }: Scraped): Promise<Registry> {
  const register = new Registry()
  const gauge = <const L extends string>(name: string, help: string, ...labelNames: readonly L[]) =>
    new Gauge({ name: `loyalcast_${name}`, help, labelNames, registers: [register] })
  const jobs = gauge('question_jobs', 'What-if questions in the background', 'status')
  for (const status of ['waiting', 'running'] as const) jobs.set({ status }, queue[status])
  const isReadable = gauge('lake_readable', '1 where the lake of a program can be read, else 0', 'program')
  const age = gauge(
    'predictions_age_seconds',
    "Since the end of the latest day that is predicted, in the program's timezone",
    'program',
  )
  const days = gauge('predicted_days', 'Days that have predictions', 'program')
  const published = gauge(
    'last_daily_run_timestamp_seconds',
    'When predictions were published last',
    'program',
  )
  const champion = gauge(
    'champion_info',
    'Always 1; the version that serves is a label',
    'program',
    'version',
  )
  for (const served of programs) {
    const program = served.program.name
    const found = await readProgram(served).catch(() => null)
    isReadable.set({ program }, found === null ? 0 : 1)
    if (found === null) continue
    days.set({ program }, found.days)
    if (found.latest !== null) {
      const end = endOfDay(found.latest, served.program.timezone)
      age.set({ program }, (Date.parse(now) - Date.parse(end)) / 1000)
    }
    if (found.predictedAt !== null) published.set({ program }, Date.parse(found.predictedAt) / 1000)
    if (found.champion !== null) champion.set({ program, version: found.champion }, 1)
  }
  return register
}

async function readProgram(served: ServedProgram) {
  const days = await served.days()
  return {
    days: days.length,
    latest: days.at(-1)?.date ?? null,
    predictedAt: await served.predictedAt(),
    champion: await served.registry.champion(),
  }
}
