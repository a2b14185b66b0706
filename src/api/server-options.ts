import type { Program } from '../domain/program.ts'
import type { RunCommand } from '../jobs/runs/run-child.ts'
import type { RateLimit } from './rate-limits.ts'
import type { LogStream } from './request-log.ts'
import type { WebhookSettings } from './webhook-desk.ts'

export interface ServerOptions {
  /** With different names. */
  readonly programs: readonly Program[]
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** A key that may do everything; only its hash is kept, and only in memory. Null: only keys of the control state. */
  readonly key: string | null
  /** Takes the log, a JSON object a line; null: no log. */
  readonly log: LogStream | null
  /** A new id for each request. */
  readonly makeRequestId: () => string
  /** A new id for what is kept: unguessable, and safe in an address. */
  readonly makeId: () => string
  /** At least 32 random bytes as base64url: what nobody guesses of a key. */
  readonly makeSecret: () => string
  /** The time, ISO 8601. */
  readonly clock: () => string
  /** Of everything random in an answer. */
  readonly seed: number
  readonly webhooks: WebhookSettings
  /** How daily runs and trainings are started: each in a process of its own. */
  readonly runCommand: RunCommand
  /** Redis through which workers take them instead. @default null: none */
  readonly redisUrl?: string | null
  /** Another module that answers questions in threads. @default the one that does */
  readonly questionWorker?: URL
  /** Whether what what-if questions need is measured before anybody asks. @default false */
  readonly isPrepared?: boolean
  /** @default null: none */
  readonly rateLimit?: RateLimit | null
  /** Sites whose scripts may read answers, such as `https://bi.example.org`. @default none */
  readonly corsOrigins?: readonly string[]
  /** Addresses or networks of proxies that tell the address of a client. @default null: nobody is believed */
  readonly trustedProxies?: readonly string[] | null
  /** Whether /metrics is read without a key. @default false */
  readonly isMetricsOpen?: boolean
  /** How long requests at hand may take when the server is closed, in seconds. @default 20 */
  readonly stopSeconds?: number
  /** Most memory that reading may take, in DuckDB's notation. @default '1GB' */
  readonly memoryLimit?: string
}
