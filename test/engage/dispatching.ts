import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { type Control, openControl } from '../../src/control/control.ts'
import type { Delivery } from '../../src/control/webhook-deliveries.ts'
import type { WebhookEndpoint } from '../../src/control/webhook-endpoints.ts'
import { type DispatcherOptions, WebhookDispatcher } from '../../src/engage/dispatcher.ts'
import { type WebhookEvent, webhookEvent } from '../../src/engage/event-catalogue.ts'
import { Sender, type SenderOptions } from '../../src/engage/sender.ts'
import { secretOf } from '../../src/engage/signing.ts'
import { TargetRules } from '../../src/engage/target-rules.ts'
import type { WebhookSource } from '../../src/engage/webhook-source.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

const shop = { name: 'shop' }

/** A program's control state, a clock, and what happens in the program. Gone when the test is. */
export interface World {
  readonly folder: string
  readonly control: Control
  /** Moves the clock on, and tells the time. */
  later(ms: number): string
  now(): string
  /** What the source `list` yields, one after the other. */
  readonly events: WebhookEvent[]
  readonly list: WebhookSource
  readonly errors: unknown[]
  readonly rules: TargetRules
  /** A control state of its own on the same file, as another process has it. */
  open(): Promise<Control>
  dispatcher(more?: Partial<DispatcherOptions>, sending?: Partial<SenderOptions>): WebhookDispatcher
  addEndpoint(url: string, more?: Partial<WebhookEndpoint>): Promise<WebhookEndpoint>
  deliveries(endpoint: WebhookEndpoint): Promise<Delivery[]>
}

/** An event as any. */
export function promoted(version: string, timestamp = '2026-11-20T12:00:00.000Z'): WebhookEvent {
  return webhookEvent('model.promoted', timestamp, {
    ...{ program: 'shop', version, previous: null, action: 'promote', reason: 'passed the gate' },
  })
}

export async function makeWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-webhooks-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const open = async () => {
    const opened = await openControl(folder, shop)
    onTestFinished(() => opened.close())
    return opened
  }
  let ms = Date.parse('2026-11-20T12:00:00Z')
  let ids = 0
  const makeId = () => `id${++ids}`
  const events: WebhookEvent[] = []
  const errors: unknown[] = []
  const list: WebhookSource = {
    name: 'list',
    present: async () => String(events.length),
    read: async (after) => ({ events: events.slice(Number(after)), position: String(events.length) }),
  }
  const now = () => new Date(ms).toISOString()
  const control = await open()
  const rules = new TargetRules({ allow: ['127.0.0.1'], isHttpAllowed: true })
  return {
    ...{ folder, control, events, list, errors, rules, open, now },
    later: (more) => {
      ms += more
      return now()
    },
    dispatcher: (more = {}, sending = {}) => {
      const sender = new Sender({ rules, ...sending })
      onTestFinished(() => sender.close())
      return new WebhookDispatcher({
        ...{ control: async () => control, sourcesOf: () => [list], sender, clock: now, makeId },
        ...{ random: () => 0.5, stopwatch: () => 0, onError: (error: unknown) => errors.push(error) },
        ...more,
      })
    },
    addEndpoint: async (url, more = {}) => {
      const added = {
        ...{ id: makeId(), url, eventTypes: ['*'], description: '', isActive: true },
        ...{ secret: secretOf(randomBytes(32)), createdAt: now(), ...more },
      }
      const positions = new Map([['list', await list.present()]])
      await control.webhooks.endpoints.add(added, { most: 20, positions })
      return (await control.webhooks.endpoints.find(added.id)) as WebhookEndpoint
    },
    deliveries: async ({ id }) =>
      (await control.webhooks.deliveries.list(id, { after: null, limit: 1000, status: null })).toReversed(),
  }
}

/** A world in which nothing may go wrong that nobody expected. */
export async function makeSoundWorld(): Promise<World> {
  const world = await makeWorld()
  onTestFinished(() => expect(world.errors).toEqual([]))
  return world
}

/** One step, and everything that it began. */
export async function step(dispatcher: WebhookDispatcher): Promise<void> {
  await dispatcher.tick()
  await dispatcher.settle()
}
