import { spawnSync } from 'node:child_process'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { controlPath } from '../../src/control/control.ts'
import { gather } from '../../src/engage/gather.ts'
import { type Outgoing, Sender, type SendResult } from '../../src/engage/sender.ts'
import { makeWorld, promoted, second, step, type World } from './dispatching.ts'
import { startReceiver } from './receiver.ts'

const versions = (received: readonly { message: { data: { version: string } } }[]) =>
  received.map(({ message }) => message.data.version)

/** The rows of a table, as another process sees them. */
function count(world: World, table: string): number {
  const database = new Libsql(controlPath(world.folder, { name: 'shop' }))
  try {
    return (database.prepare(`select count(*) as n from ${table}`).get() as { n: number }).n
  } finally {
    database.close()
  }
}

describe('the outbox', () => {
  it('keeps an event once where another process reads it at the same time and is quicker', async () => {
    const world = await makeWorld()
    const { addEndpoint, list, events, control, open, now } = world
    await addEndpoint('http://127.0.0.1:1/')
    const other = await open()
    const options = (id: string) => ({ now: now(), makeId: () => id, onError: () => {} })
    for (let n = 1; n <= 20; n++) {
      events.push(promoted(String(n)))
      const overtaken = {
        ...list,
        read: async (after: string) => {
          const read = await list.read(after)
          await gather(other.webhooks, list, options(`${n}-quick`))
          return read
        },
      }
      await gather(control.webhooks, overtaken, options(`${n}-slow`))
      expect([count(world, 'webhook_messages'), count(world, 'webhook_deliveries')]).toEqual([n, n])
    }
  })

  it('keeps all of what was read or nothing: what breaks off in between is read again', async () => {
    const world = await makeWorld()
    const { addEndpoint, list, events, control, now } = world
    const receiver = await startReceiver()
    await addEndpoint(receiver.url)
    events.push(promoted('1'), promoted('2'))
    let ids = 0
    const failing = () => {
      // The second message has the id of the first: the transaction breaks off in its middle.
      ids++
      return 'same'
    }
    const options = { now: now(), makeId: failing, onError: () => {} }
    await expect(gather(control.webhooks, list, options)).rejects.toThrow(/UNIQUE/)
    expect([ids, count(world, 'webhook_messages'), count(world, 'webhook_deliveries')]).toEqual([2, 0, 0])
    expect(await control.webhooks.outbox.position('list')).toBe('0')
    await step(world.dispatcher())
    expect(versions(receiver.received).sort()).toEqual(['1', '2'])
  })

  /** Where a process may end: what it does until then, and how often its message is sent in all. */
  const ends: readonly (readonly [string, number, (world: World) => Promise<void>])[] = [
    ['before it reads', 1, async () => {}],
    [
      'after it has read, before anything is kept',
      1,
      async ({ list }) => {
        await list.read('0')
      },
    ],
    [
      'after the message is kept, before it is sent',
      1,
      async ({ control, list, now }) => {
        await gather(control.webhooks, list, { now: now(), makeId: () => 'kept', onError: () => {} })
      },
    ],
    [
      'after the message is sent, before that is kept',
      2,
      async (world) => {
        const sender = new LostSender({ rules: world.rules })
        onTestFinished(() => sender.close())
        await world.dispatcher({ sender }).tick()
      },
    ],
  ]
  it.each(ends)('loses and doubles no event where a process ends %s', async (_, times, until) => {
    const world = await makeWorld()
    const { addEndpoint, events, open, later } = world
    const receiver = await startReceiver()
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    await until(world)
    await receiver.first(times - 1)
    // The lease of who is gone has run out.
    later(31 * second)
    const control = await open()
    const next = world.dispatcher({ control: async () => control })
    await step(next)
    await step(next)
    expect(versions(receiver.received)).toEqual(Array(times).fill('1'))
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(await world.deliveries(endpoint)).toMatchObject([{ status: 'delivered' }])
    expect(world.errors).toEqual([])
  })
})

/** Sends, and is never heard of again. */
class LostSender extends Sender {
  override async send(outgoing: Outgoing): Promise<SendResult> {
    await super.send(outgoing)
    return new Promise(() => {})
  }
}

describe('the lease', () => {
  it('lets one of two processes send; the other takes over when it is let go of', async () => {
    const { addEndpoint, dispatcher, events, open } = await makeWorld()
    const receiver = await startReceiver()
    await addEndpoint(receiver.url)
    const control = await open()
    const [one, other] = [dispatcher(), dispatcher({ control: async () => control })]
    await step(one)
    events.push(promoted('1'))
    await step(other)
    expect(receiver.received).toEqual([])
    await step(one)
    expect(versions(receiver.received)).toEqual(['1'])
    events.push(promoted('2'))
    await one.close()
    await step(other)
    expect(versions(receiver.received)).toEqual(['1', '2'])
  })

  it('is taken over once its holder has not renewed it for half a minute, and not sooner', async () => {
    const { addEndpoint, dispatcher, events, later } = await makeWorld()
    const receiver = await startReceiver()
    await addEndpoint(receiver.url)
    const [one, other] = [dispatcher(), dispatcher()]
    await step(one)
    later(15 * second)
    await step(one)
    events.push(promoted('1'))
    later(29 * second)
    await step(other)
    expect(receiver.received).toEqual([])
    later(1 * second)
    await step(other)
    expect(versions(receiver.received)).toEqual(['1'])
    events.push(promoted('2'))
    await step(one)
    expect(versions(receiver.received)).toEqual(['1'])
  })

  it('of a process that is gone is taken over at once', async () => {
    const { addEndpoint, dispatcher, events, control } = await makeWorld()
    const receiver = await startReceiver()
    await addEndpoint(receiver.url)
    await step(dispatcher())
    const held = await control.webhooks.leases.find('webhooks')
    const [id, , started, ...place] = held?.holder.split(' ') ?? []
    const { pid } = spawnSync('true')
    const gone = [id, pid, started, ...place].join(' ')
    const until = { holder: gone, now: '2027-01-01T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' }
    expect(await control.webhooks.leases.take('webhooks', until)).toBe(true)
    events.push(promoted('1'))
    await step(dispatcher())
    expect(versions(receiver.received)).toEqual(['1'])
  })
})
