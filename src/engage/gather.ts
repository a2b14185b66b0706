import type { Webhooks } from '../control/webhooks.ts'
import { payloadOf, type WebhookEvent } from './event-catalogue.ts'
import type { WebhookSource } from './webhook-source.ts'

export interface GatherOptions {
  /** ISO 8601. */
  readonly now: string
  /** A new id, unguessable. */
  readonly makeId: () => string
  /** Hears of what cannot be sent, such as an event that is too large. It is left out. */
  readonly onError: (error: unknown) => void
}

/**
 * Reads what a source has to tell since it was last read, and keeps it as messages. A source that was never read is read
 * from now on.
 *
 * What another process keeps at the same time is kept once: by one of the two.
 */
export async function gather(
  { outbox }: Pick<Webhooks, 'outbox'>,
  source: WebhookSource,
  { now, makeId, onError }: GatherOptions,
): Promise<void> {
  const from = await outbox.position(source.name)
  if (from === null) {
    const to = await source.present()
    await outbox.store({ source: source.name, from, to, messages: [], at: now })
    return
  }
  const { events, position } = await source.read(from)
  if (position === from) return
  const messages = events.flatMap((event) => messageOf(event, { makeId, onError }))
  await outbox.store({ source: source.name, from, to: position, messages, at: now })
}

function messageOf(event: WebhookEvent, { makeId, onError }: Pick<GatherOptions, 'makeId' | 'onError'>) {
  try {
    return [{ id: messageId(makeId), type: event.type, payload: payloadOf(event) }]
  } catch (error) {
    onError(error)
    return []
  }
}

/** Goes along as `webhook-id`. */
export function messageId(makeId: () => string): string {
  return `msg_${makeId()}`
}
