import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { failure } from '../domain/errors.ts'
import { buildApp } from './app.ts'
import { Draining } from './draining.ts'
import { Metrics } from './metrics.ts'
import { openAccess } from './open-access.ts'
import type { ServerOptions } from './server-options.ts'
import { openParts } from './server-parts.ts'

/** For the last refusals to arrive, and until connections without a request are cut, in milliseconds. */
const farewellMs = 1000

export interface RunningServer {
  /** Of the page, such as `http://127.0.0.1:3000`. */
  readonly url: string
  /** Refuses new requests, answers those at hand for as long as they may take, then stops. */
  close(): Promise<void>
}

/**
 * Serves the API and the summary page of some programs until it is closed.
 *
 * It reads what is published at the time of a request, so days and versions appear without a restart, and it never
 * writes to the lake. What people keep lies beside it.
 *
 * **Errors** `address` where it can't listen there, with the reason in one sentence.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { stopSeconds = 20, rateLimit = null, corsOrigins = [] } = options
  const { trustedProxies = null, isMetricsOpen = false } = options
  let app: FastifyInstance | null = null
  /** What went wrong before there was a log. */
  const early: unknown[] = []
  const onError = (error: unknown) => {
    if (app === null) early.push(error)
    else app.log.error({ err: error }, 'work beside requests failed')
  }
  const parts = await openParts(options, onError)
  let access: Awaited<ReturnType<typeof openAccess>> | null = null
  const draining = new Draining()
  const metrics = new Metrics()
  const close = async () => {
    if (app?.server.listening) app.log.info('stopping')
    const drained = draining.begin(stopSeconds * 1000)
    await parts.desk.interrupt()
    const isDrained = await drained
    const { server } = app ?? {}
    const force = setTimeout(() => server?.closeAllConnections(), isDrained ? farewellMs : 0)
    await app?.close()
    clearTimeout(force)
    metrics.close()
    await access?.close()
    await parts.close()
  }
  try {
    access = await openAccess({ ...options, onError })
    const limits = { rateLimit, corsOrigins, trustedProxies, isMetricsOpen }
    app = await buildApp({ ...options, ...limits, ...parts, access, draining, metrics })
    early.splice(0).forEach(onError)
    await listen(app, options)
    parts.start()
  } catch (error) {
    await close()
    throw error
  }
  const { port } = app.server.address() as AddressInfo
  return { url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`, close }
}

const listenProblems: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `Port ${port} of ${host} is taken by another process. Stop that one, or choose another with --port.`,
  EACCES: (_, port) => `Port ${port} may not be used by this user. Choose one from 1024 on with --port.`,
  EADDRNOTAVAIL: (host) => `${host} is no address of this machine. Choose another with --host.`,
  ENOTFOUND: (host) => `${host} is no known host. Choose another with --host.`,
}

async function listen(app: FastifyInstance, address: Address): Promise<void> {
  await explained(address, () => app.listen(address))
}

type Address = Pick<ServerOptions, 'host' | 'port'>

/**
 * Takes an address and gives it back: what can't be listened on later is better known before long work.
 *
 * **Errors** `address`, as {@link startServer}.
 */
export async function checkAddress(address: Address): Promise<void> {
  const probe = createServer()
  await explained(address, async () => {
    probe.listen(address)
    await once(probe, 'listening')
  })
  probe.close()
  await once(probe, 'close')
}

async function explained({ host, port }: Address, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const words = listenProblems[(error as NodeJS.ErrnoException).code ?? '']
    if (words) throw failure('address', words(host, port))
    throw error
  }
}
