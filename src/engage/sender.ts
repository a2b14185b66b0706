import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, request } from 'undici'
import { RefusedTarget, type TargetRules } from './target-rules.ts'

/** What came back. Without a status there was no answer. */
export interface SendResult {
  readonly status: number | null
  /** What went wrong before there was an answer; null where there is one. */
  readonly problem: string | null
  /** The beginning of the answer; null where it has no text. */
  readonly excerpt: string | null
  /** As it was sent, at most so many characters. */
  readonly retryAfter: string | null
}

export interface SenderOptions {
  readonly rules: TargetRules
  /** Until the answer's beginning is there, in milliseconds. @default 15_000 */
  readonly timeoutMs?: number
}

export interface Outgoing {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const defaultTimeoutMs = 15_000
const connectTimeoutMs = 5_000
/** Of an answer that are kept, in bytes. */
const longestExcerpt = 1024

/**
 * Sends messages to endpoints, each over a connection of its own. Where a name leads is decided when the connection is
 * made, and to that address it is made: what a name meant before is of no account. Redirects are not followed.
 */
export class Sender {
  readonly #agent: Agent
  readonly #rules: TargetRules
  readonly #timeoutMs: number
  readonly #stop = new AbortController()

  constructor({ rules, timeoutMs = defaultTimeoutMs }: SenderOptions) {
    this.#rules = rules
    this.#timeoutMs = timeoutMs
    const connectMs = Math.min(connectTimeoutMs, timeoutMs)
    this.#agent = new Agent({
      connect: guardedConnector(rules, connectMs),
      pipelining: 0,
      maxHeaderSize: 16_384,
    })
  }

  /** Whether what is being sent was broken off because the process ends. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  /** Sends and waits for the answer. Whatever happens is a result. */
  async send({ url, headers, body }: Outgoing): Promise<SendResult> {
    const refused = this.#rules.refuseForm(url)
    if (refused !== null) return noAnswer(`The address ${refused}.`)
    const late = AbortSignal.timeout(this.#timeoutMs)
    try {
      const response = await request(url, {
        ...{ method: 'POST', headers, body },
        dispatcher: this.#agent,
        signal: AbortSignal.any([late, this.#stop.signal]),
      })
      const retryAfter = [response.headers['retry-after']].flat()[0]?.slice(0, 100) ?? null
      // The status has been answered: a body that breaks off does not change it.
      const excerpt = await readExcerpt(response.body).catch(() => null)
      return { status: response.statusCode, problem: null, excerpt, retryAfter }
    } catch (error) {
      return noAnswer(
        late.aborted ? `There was no answer within ${this.#timeoutMs / 1000} s.` : wordsOf(error),
      )
    }
  }

  /** Breaks off what is being sent. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#agent.destroy()
  }
}

function noAnswer(problem: string): SendResult {
  return { status: null, problem, excerpt: null, retryAfter: null }
}

/** Connects to public and allowed addresses only. */
function guardedConnector(rules: TargetRules, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, lookup: guardedLookup(rules), maxCachedSessions: 0 })
  return (options, callback) => {
    // Names go through the lookup, addresses do not.
    const host = options.hostname.replace(/^\[|\]$/g, '')
    const refused = isIP(host) === 0 ? null : rules.refuseAddress(host, host)
    if (refused !== null) callback(new RefusedTarget(refused), null)
    else connect(options, callback)
  }
}

function guardedLookup(rules: TargetRules): LookupFunction {
  return (host, { all }, callback) => {
    rules.resolve(host).then(
      (found) =>
        all
          ? callback(
              null,
              found.map(({ address, family }) => ({ address, family })),
            )
          : callback(null, found[0].address, found[0].family),
      (error: Error) => callback(error, all ? [] : '', 4),
    )
  }
}

async function readExcerpt(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string | null> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of body) {
    parts.push(part)
    bytes += part.length
    // Leaving the loop ends the connection: nobody makes the server read on and on.
    if (bytes >= longestExcerpt) break
  }
  const text = Buffer.concat(parts).subarray(0, longestExcerpt).toString('utf8')
  return printable(text) || null
}

/** Text without what could move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim()
}

const networkTroubles: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nobody listens there',
  ECONNRESET: 'The connection was broken off',
  UND_ERR_SOCKET: 'The connection was broken off',
  UND_ERR_CONNECT_TIMEOUT: 'No connection came about in time',
  ETIMEDOUT: 'No connection came about in time',
  ENOTFOUND: 'The host is not known',
  EAI_AGAIN: 'The host could not be looked up',
  ENETUNREACH: 'There is no way to the host',
  EHOSTUNREACH: 'There is no way to the host',
  UND_ERR_HEADERS_OVERFLOW: 'The answer has too many headers',
  CERT_HAS_EXPIRED: 'The certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'The certificate is signed by nobody known',
  SELF_SIGNED_CERT_IN_CHAIN: 'The certificate is signed by nobody known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'The certificate is signed by nobody known',
  ERR_TLS_CERT_ALTNAME_INVALID: 'The certificate is of another host',
}

/** What went wrong, without addresses: who sees it need not know what names mean inside. */
function wordsOf(error: unknown): string {
  const cause = error instanceof AggregateError ? error.errors[0] : error
  if (cause instanceof RefusedTarget) return `The address ${cause.message}.`
  const code = String((cause as NodeJS.ErrnoException)?.code ?? '')
  return `${networkTroubles[code] ?? 'Nothing could be sent'}${code ? ` (${code})` : ''}.`
}
