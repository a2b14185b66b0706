import type { WebhookEvent } from './event-catalogue.ts'

/**
 * Where events come from: something that is written elsewhere, by whichever process, and can be read again.
 *
 * A position says how far it has been read, in words of the source's own. What `read` yields for a position is kept
 * together with the new position, in one transaction: a source needs to remember nothing, and an event is neither lost
 * nor sent as two.
 */
export interface WebhookSource {
  /** Its position is kept under this name. It never changes. */
  readonly name: string
  /** Where it is now: events from before are of no interest. */
  present(): Promise<string>
  /** What happened after a position, the earliest first. Equal positions: nothing happened. */
  read(after: string): Promise<SourceEvents>
}

export interface SourceEvents {
  readonly events: readonly WebhookEvent[]
  readonly position: string
}
