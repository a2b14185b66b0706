import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Sender, type SenderOptions } from '../../src/engage/sender.ts'
import { type TargetOptions, TargetRules } from '../../src/engage/target-rules.ts'
import { startReceiver } from './receiver.ts'

function makeSender(target: Partial<TargetOptions> = {}, more: Partial<SenderOptions> = {}): Sender {
  const rules = new TargetRules({ allow: ['127.0.0.1'], isHttpAllowed: true, ...target })
  const sender = new Sender({ rules, ...more })
  onTestFinished(() => sender.close())
  return sender
}

const message = (url: string) => ({ url, headers: { 'content-type': 'application/json' }, body: '{"a":1}' })

describe('sending', () => {
  it('tells the status, the beginning of the answer and when to try again', async () => {
    const receiver = await startReceiver((response) =>
      response.writeHead(503, { 'retry-after': '120' }).end('too much\u0000\u001b[2J to do'),
    )
    const result = await makeSender().send(message(`${receiver.url}/a?b=c`))
    expect(result).toEqual({ status: 503, problem: null, excerpt: 'too much [2J to do', retryAfter: '120' })
    expect(receiver.received).toMatchObject([{ path: '/a?b=c', body: '{"a":1}' }])
  })

  it('follows no redirect', async () => {
    const other = await startReceiver()
    for (const status of [301, 302, 303, 307, 308]) {
      const receiver = await startReceiver((response) =>
        response.writeHead(status, { location: `${other.url}/stolen` }).end(),
      )
      expect(await makeSender().send(message(receiver.url))).toMatchObject({ status })
    }
    expect(other.received).toEqual([])
  })

  it('keeps 1 KiB of an answer that never ends, and reads no further', async () => {
    let isGone = false
    const receiver = await startReceiver((response) => {
      response.writeHead(200)
      const more = () => {
        if (!isGone) response.write('x'.repeat(65_536), () => setImmediate(more))
      }
      response.on('close', () => {
        isGone = true
      })
      more()
    })
    const { status, excerpt } = await makeSender().send(message(receiver.url))
    expect([status, excerpt]).toEqual([200, 'x'.repeat(1024)])
  })

  it('waits only so long for an answer', async () => {
    const receiver = await startReceiver(() => {})
    expect(await makeSender({}, { timeoutMs: 100 }).send(message(receiver.url))).toEqual({
      ...{ status: null, problem: 'There was no answer within 0.1 s.' },
      ...{ excerpt: null, retryAfter: null },
    })
    expect(receiver.received).toHaveLength(1)
  })

  it('says in words why there is no answer', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as { port: number }
    closed.close()
    await once(closed, 'close')
    const refused = await makeSender().send(message(`http://127.0.0.1:${port}/`))
    expect(refused.problem).toBe('Nobody listens there (ECONNREFUSED).')
    const broken = await startReceiver((response) => response.destroy())
    expect((await makeSender().send(message(broken.url))).problem).toMatch(/^The connection was broken off/)
    const plain = await startReceiver()
    const tls = await makeSender().send(message(plain.url.replace('http:', 'https:')))
    expect(tls).toMatchObject({
      status: null,
      problem: expect.stringMatching(/^Nothing could be sent \(\w+\)/),
    })
  })
})

describe('where is sent to', () => {
  it('is decided by the address that is connected to, whatever the name meant before', async () => {
    const receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    const asked: string[] = []
    const resolve = async (host: string) => {
      asked.push(host)
      return [{ address: asked.length === 1 ? '93.184.215.14' : '127.0.0.1', family: 4 }]
    }
    const url = `http://rebound.example:${port}/`
    const rules = new TargetRules({ allow: [], isHttpAllowed: true, resolve })
    expect(await rules.refuse(url)).toBeNull()
    const sender = new Sender({ rules })
    onTestFinished(() => sender.close())
    expect(await sender.send(message(url))).toMatchObject({
      status: null,
      problem: expect.stringMatching(/^The address leads to an address that is not public/),
    })
    expect([asked.length, receiver.received]).toEqual([2, []])
  })

  it('is connected to at the address that was looked at', async () => {
    const receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
    const allowed = makeSender({ allow: ['crm.example'], resolve })
    expect(await allowed.send(message(`http://crm.example:${port}/`))).toMatchObject({ status: 204 })
    expect(receiver.received[0].headers.host).toBe(`crm.example:${port}`)
    const mixed = makeSender({
      resolve: async () => [
        { address: '93.184.215.14', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
      allow: [],
    })
    expect((await mixed.send(message(`http://mixed.example:${port}/`))).problem).toMatch(/not public/)
    expect(receiver.received).toHaveLength(1)
  })

  it.each([
    'http://127.0.0.1',
    'http://[::1]',
    'http://[::ffff:127.0.0.1]',
    'http://0x7f.1',
    'http://localhost',
  ])('is never this machine, also where it was kept once: %s', async (origin) => {
    const receiver = await startReceiver()
    const { port } = new URL(receiver.url)
    const { status, problem } = await makeSender({ allow: [] }).send(message(`${origin}:${port}/`))
    expect([status, problem]).toEqual([null, expect.stringMatching(/not public/)])
    expect(receiver.received).toEqual([])
  })

  it('may no longer be plain http: once the operator forbids it', async () => {
    const sender = makeSender({ allow: [], isHttpAllowed: false })
    expect((await sender.send(message('http://public.example/'))).problem).toMatch(/allowed is https/)
  })
})
