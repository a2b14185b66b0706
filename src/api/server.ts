import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { failure } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { Intake } from '../jobs/intake.ts'
import { openReadingDatabase } from '../lake/read-predictions.ts'
import { ApiKey } from './api-key.ts'
import { buildApp } from './app.ts'
import { ServedPrograms } from './programs.ts'
import type { LogStream } from './request-log.ts'
import { ServedProgram } from './served-program.ts'
import { WhatIfDesk } from './what-if-desk.ts'

export interface ServerOptions {
  /** With different names. */
  readonly programs: readonly Program[]
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** What clients must send; only its hash is kept. */
  readonly key: string
  /** Takes the log, a JSON object a line; null: no log. */
  readonly log: LogStream | null
  /** A new id for each request. */
  readonly makeRequestId: () => string
  /** A new id for what is kept: unguessable, and safe in an address. */
  readonly makeId: () => string
  /** The time, ISO 8601. */
  readonly clock: () => string
  /** Of everything random in an answer. */
  readonly seed: number
  /** Another module that answers questions in threads. @default the one that does */
  readonly questionWorker?: URL
  /** Whether what what-if questions need is measured before anybody asks. @default false */
  readonly isPrepared?: boolean
  /** Most memory that reading may take, in DuckDB's notation. @default '1GB' */
  readonly memoryLimit?: string
}

export interface RunningServer {
  /** Of the page, such as `http://127.0.0.1:3000`. */
  readonly url: string
  /** Answers the requests at hand, then stops. */
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
  const { dataFolder, modelsFolder, memoryLimit = '1GB' } = options
  const spillFolder = await mkdtemp(join(tmpdir(), 'loyalcast-serve-'))
  const database = await openReadingDatabase({ spillFolder, memoryLimit })
  const served = options.programs.map(
    (program) => new ServedProgram(program, { dataFolder, modelsFolder, database }),
  )
  let app: FastifyInstance | null = null
  const desk = new WhatIfDesk({
    ...options,
    spillFolder,
    onError: (error) => app?.log.error({ err: error }, 'job failed'),
  })
  const intake = new Intake(options)
  const close = async () => {
    await app?.close()
    await intake.close()
    await desk.close()
    database.close()
    await rm(spillFolder, { recursive: true, force: true })
  }
  try {
    const programs = new ServedPrograms(served)
    app = await buildApp({ ...options, programs, desk, intake, key: new ApiKey(options.key) })
    await listen(app, options)
    if (options.isPrepared) for (const program of options.programs) desk.prepare(program)
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
