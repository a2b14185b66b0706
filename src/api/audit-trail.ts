import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { AuditEntry, AuditLog } from '../control/audit-log.ts'
import { scopeOf } from './api-key.ts'
import type { Caller } from './caller.ts'
import type { ServedPrograms } from './programs.ts'

export interface AuditOptions {
  readonly audit: AuditLog
  /** Hears why entries could not be written. */
  readonly onError: (error: unknown) => void
}

/** How long entries are collected before they are written together, in milliseconds. */
const collectMs = 200
/** Entries that wait for a disk that cannot be written to. Beyond them the oldest are given up, and the log says so. */
const mostWaiting = 100_000

/** Writes the audit log behind the answers: some entries at a time, and all of them before it is closed. */
export class AuditTrail {
  readonly #options: AuditOptions
  #waiting: AuditEntry[] = []
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  constructor(options: AuditOptions) {
    this.#options = options
  }

  get log(): AuditLog {
    return this.#options.audit
  }

  add(entry: AuditEntry): void {
    this.#waiting.push(entry)
    this.#timer ??= setTimeout(() => void this.flush(), collectMs)
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async close(): Promise<void> {
    await this.flush()
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return
    const entries = this.#waiting
    this.#waiting = []
    try {
      await this.#options.audit.append(entries)
    } catch (error) {
      this.#options.onError(error)
      const kept = [...entries, ...this.#waiting]
      const lost = kept.length - mostWaiting
      if (lost > 0) this.#options.onError(new Error(`${lost} entries of the audit log are lost`))
      // They go with the next entry.
      this.#waiting = kept.slice(Math.max(0, lost))
    }
  }
}

const writing: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']

/** The status of an answer that was sent to its end; 499 where the client left before. */
export function finalStatus({ raw: sent }: FastifyRequest, { raw: answer }: FastifyReply): number {
  return answer.writableFinished && sent.errored === null ? answer.statusCode : 499
}

/**
 * Notes every write and every export of somebody with a key, also where it was refused or broken off. What failed here
 * (500 and above) did nothing, and what came too often (429) was not looked at: they are not noted.
 */
export function noteRequests(
  trail: AuditTrail,
  { programs, clock }: { readonly programs: ServedPrograms; readonly clock: () => string },
): onRequestHookHandler {
  return async (request, reply) => {
    const { schema, url: route } = request.routeOptions
    const scope = scopeOf(schema)
    if (scope === null || route === undefined) return
    if (!writing.includes(request.method) && scope !== 'export') return
    // Gone with the connection. The type knows no connection that is gone already.
    const remoteAddress = (request.ip as string | undefined) ?? 'unknown'
    // Whoever leaves in the middle of an export has most of it: this comes after every answer, whole or not.
    reply.raw.once('close', () => {
      const caller = request.getDecorator<Caller | null>('caller')
      const status = finalStatus(request, reply)
      if (caller === null || status >= 500 || status === 429) return
      const { program } = request.params as { program?: string }
      trail.add({
        at: new Date(clock()).toISOString(),
        ...{ keyId: caller.keyId, keyName: caller.name },
        ...{ method: request.method, route, status },
        // Never just any text of the address.
        program: program !== undefined && programs.has(program) ? program : null,
        ...{ requestId: request.id, remoteAddress },
      })
    })
  }
}
