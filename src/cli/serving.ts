import { randomUUID } from 'node:crypto'
import { type RunningServer, startServer } from '../api/server.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Context } from './context.ts'
import { webhookSettings } from './webhook-settings.ts'

/** Fewest characters of a key. */
const shortestKey = 16

/** A key that clients can send and nobody guesses. */
export function checkedKey(key: string | undefined): string {
  const remedy =
    'Set it to a secret of at least 16 printable characters without spaces, which clients send as "Authorization: Bearer …"; openssl rand -hex 24 makes one.'
  if (key === undefined || key === '') throw usageError('key', `LOYALCAST_API_KEY is not set. ${remedy}`)
  if (key.length < shortestKey || !/^[\x21-\x7e]+$/.test(key))
    throw usageError('key', `LOYALCAST_API_KEY is too short or holds what no header can. ${remedy}`)
  return key
}

/** The port of an option. */
export function checkedPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw usageError('port', `--port is ${text}; it is a whole number from 0 to 65535.`)
}

export interface Serving {
  readonly programs: readonly Program[]
  readonly host: string
  readonly port: number
  readonly key: string
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
  const own = { makeRequestId: randomUUID, isPrepared: true, webhooks }
  const server = await startServer({ ...context, ...serving, ...own })
  say(server)
  await stopped
  await server.close()
}
