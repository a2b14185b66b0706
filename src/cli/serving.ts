import { randomUUID } from 'node:crypto'
import { type RunningServer, startServer } from '../api/server.ts'
import { endOfKey } from '../control/api-keys.ts'
import { findServerControl } from '../control/server-control.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Context } from './context.ts'
import { redisUrlOf } from './redis-url.ts'
import { runCommandOf } from './run-command.ts'
import { readSettings } from './settings.ts'
import { webhookSettings } from './webhook-settings.ts'

/** Keys that are looked through for one that works. */
const mostKeys = 10_000

/** What the environment says of a server. **Errors** `setting`. */
export function serverSettings() {
  const names = [
    'API_KEY',
    'RATE_LIMIT',
    'CORS_ORIGINS',
    'TRUSTED_PROXIES',
    'STOP_SECONDS',
    'METRICS_OPEN',
  ] as const
  const given = readSettings(process.env, names)
  return {
    key: given.API_KEY,
    rateLimit: given.RATE_LIMIT === 0 ? null : { requests: given.RATE_LIMIT, windowSeconds: 1 },
    corsOrigins: given.CORS_ORIGINS,
    trustedProxies: given.TRUSTED_PROXIES,
    stopSeconds: given.STOP_SECONDS,
    isMetricsOpen: given.METRICS_OPEN,
  }
}

/** **Errors** `key` where nobody could use a server: there is no key in the environment and none that was made. */
export async function requireSomeKey({ dataFolder, now }: Context, key: string | null): Promise<void> {
  if (key !== null || (await hasWorkingKey(dataFolder, now))) return
  throw usageError(
    'key',
    'LOYALCAST_API_KEY is not set. Set it to a secret of at least 16 printable characters without spaces, which clients send as "Authorization: Bearer …" (openssl rand -hex 24 makes one), or make keys with loyalcast keys create.',
  )
}

async function hasWorkingKey(dataFolder: string, now: string): Promise<boolean> {
  const control = await findServerControl(dataFolder)
  try {
    const keys = await control?.keys.list({ after: null, limit: mostKeys })
    return keys?.some((key) => endOfKey(key, now) === null) ?? false
  } finally {
    await control?.close()
  }
}

/** The port of an option. */
export function checkedPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw usageError('port', `--port is ${text}; it is a whole number from 0 to 65535.`)
}

export interface Serving extends ReturnType<typeof serverSettings> {
  readonly programs: readonly Program[]
  /** Name of each program → absolute path of its file. */
  readonly programFiles: ReadonlyMap<string, string>
  readonly host: string
  readonly port: number
  /** Takes a line of JSON for each request; null: no log. */
  readonly log: NodeJS.WriteStream | null
}

/** Serves until somebody wants the process to end. @param say told the address once it listens. */
export async function serveUntilStopped(
  context: Context,
  serving: Serving,
  say: (server: RunningServer) => void,
): Promise<void> {
  const stopped = new Promise<void>((stop) => {
    process.once('SIGINT', stop).once('SIGTERM', stop)
  })
  const webhooks = webhookSettings(process.env, context.stopwatch)
  const runCommand = runCommandOf(context, serving.programFiles)
  const own = {
    makeRequestId: randomUUID,
    isPrepared: true,
    webhooks,
    runCommand,
    redisUrl: redisUrlOf(process.env),
  }
  const server = await startServer({ ...context, ...serving, ...own })
  say(server)
  await stopped
  await server.close()
}
