import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { startServer } from '../../src/api/server.ts'
import type { ServerOptions } from '../../src/api/server-options.ts'
import type { Program } from '../../src/domain/program.ts'
import { secretBytes, secretOf } from '../../src/engage/signing.ts'
import type { MadeProgram } from '../programs.ts'
import { commandOf } from '../run-command.ts'

/** The key of servers in tests. */
export const key = 'key-for-tests-0123456789'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of all shapes
  readonly body: any
}

/** The form that every problem has. */
export const problem = (code: string, status: number) => ({
  type: `urn:loyalcast:problem:${code}`,
  title: expect.stringMatching(/\w/),
  status,
  detail: expect.stringMatching(/\w/),
  instance: expect.stringMatching(/^\//),
  request_id: expect.stringMatching(/^request-\d+$/),
})

/** How to ask: with the right key unless told; null: with none. */
export interface Asking {
  readonly method?: string
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A server on a free port of this machine. */
export interface Served {
  readonly url: string
  /** The lines of its log so far. */
  readonly log: string[]
  ask(path: string, asking?: Asking): Promise<Answer>
  /** The body of an answer that must be a result. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of all shapes
  read(path: string): Promise<any>
  close(): Promise<void>
}

type Changeable =
  | ('key' | 'makeId' | 'makeSecret' | 'clock' | 'questionWorker' | 'runCommand')
  | ('isMetricsOpen' | 'rateLimit' | 'corsOrigins' | 'trustedProxies' | 'stopSeconds')

export interface ServeOptions extends Partial<Pick<ServerOptions, Changeable>> {
  /** Default: webhooks may be sent to this machine. */
  readonly webhooks?: Partial<ServerOptions['webhooks']>
  /** Default: the server of the sources. */
  readonly start?: typeof startServer
}

/** Webhooks of servers in tests. */
export const webhookSettings: ServerOptions['webhooks'] = {
  ...{ isSending: true, isHttpAllowed: false, allow: ['127.0.0.1'], intervalMs: 20 },
  ...{ makeSecret: () => secretOf(randomBytes(secretBytes)), random: () => 0.5, stopwatch: () => 0 },
}

/** Serves a made program, beside others whose data lie in the same folders. Close it. */
export async function serveMade(
  made: Pick<MadeProgram, 'program' | 'dataFolder' | 'modelsFolder'> & Partial<Pick<MadeProgram, 'path'>>,
  others: readonly Program[] = [],
  { start = startServer, webhooks = {}, ...more }: ServeOptions = {},
): Promise<Served> {
  const log: string[] = []
  let requests = 0
  let ids = 0
  const server = await start({
    ...made,
    programs: [made.program, ...others],
    host: '127.0.0.1',
    port: 0,
    key,
    log: { write: (line) => log.push(line) },
    makeRequestId: () => `request-${++requests}`,
    makeId: () => `id${++ids}`,
    makeSecret: () => `${++ids}`.padStart(43, 's'),
    clock: () => '2026-11-20T12:00:00Z',
    seed: 1,
    webhooks: { ...webhookSettings, ...webhooks },
    runCommand: commandOf(made),
    ...more,
  })
  const ask = async (path: string, asking: Asking = {}): Promise<Answer> => {
    const { method = 'GET', key: given = key, headers, body } = asking
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { ...(given !== null && { authorization: `Bearer ${given}` }), ...headers },
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: parsed(text) }
  }
  return {
    url: server.url,
    log,
    ask,
    read: async (path) => {
      const { status, body, text } = await ask(path)
      if (status !== 200) throw new Error(`${path} was answered with ${status}: ${text}`)
      return body
    },
    close: () => server.close(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
