import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ApiProblem,
  type ClientOptions,
  createClient,
  type LoyalcastClient,
  NoAnswer,
  pages,
  predictionRows,
  result,
} from '../../src/client/index.ts'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { key, type Served, serveMade } from '../api/served.ts'
import { type CuttingProxy, openCuttingProxy } from '../cutting-proxy.ts'
import { makeLastingProgram } from '../programs.ts'

const program = 'test'
/** Each request has a connection of its own, which meets a mishap of its own. */
const dispatcher = new Agent({ pipelining: 0 })
const alone =
  (encoding: string): NonNullable<ClientOptions['fetch']> =>
  async (request) => {
    const body = request.body === null ? null : await request.text()
    const { url, method, headers } = request
    const sent = {
      method,
      headers: { ...Object.fromEntries(headers), 'accept-encoding': encoding },
      body,
      dispatcher,
    }
    return (await fetch(url, sent)) as unknown as Response
  }
const customers = Array.from({ length: 500 }, (_, number) => `c${String(number).padStart(3, '0')}`)
const unready = 'HTTP/1.1 503 Unready\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
const never = 'HTTP/1.1 503 Unready\r\nretry-after: 3600\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let proxy: CuttingProxy
let client: LoyalcastClient
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  const rows = customers.map((id, place) => madeRow(id, { churn_90: place / 1000 }))
  await publishDay(made, '2026-10-01', rows)
  served = await serveMade(made)
  proxy = await openCuttingProxy(served.url)
  client = createClient({ url: proxy.url, key, fetch: alone('gzip') })
})
afterAll(async () => {
  await dispatcher.close()
  await proxy.close()
  await served.close()
  await made.remove()
})

const summaryOf = (asked: LoyalcastClient, name = program) =>
  result(asked.GET('/v1/programs/{program}/summary', { params: { path: { program: name } } }))

describe('the client', () => {
  it('has the types of the document of today; npm run client writes them', () => {
    const check = [join(import.meta.dirname, '../../bin/client.mjs'), '--check']
    const { status, stderr } = spawnSync(process.execPath, check, { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })

  it('reads what was asked for, and throws what is no result', async () => {
    const { date, customers: count } = await summaryOf(client)
    expect([date, count]).toEqual(['2026-10-01', 500])
    const problem = await summaryOf(client, 'other').catch((error) => error)
    expect(problem).toBeInstanceOf(ApiProblem)
    expect(problem).toMatchObject({ status: 404, code: 'unknown-program', errors: [] })
    expect(problem.requestId).toMatch(/^request-/)
    const query = { limit: 0 }
    const call = client.GET('/v1/programs/{program}/predictions', { params: { path: { program }, query } })
    expect(await result(call).catch((error) => error)).toMatchObject({
      ...{ status: 400, code: 'invalid-request', errors: [{ field: 'limit' }] },
    })
  })

  it('sends rows, and what is to be repeated under its Idempotency-Key', async () => {
    const row = { customer_id: 'c001', at: '2026-11-20T08:30:00Z', type: 'login', event_id: 'l-1' }
    const send = () =>
      result(
        client.POST('/v1/programs/{program}/events', {
          params: { path: { program }, header: { 'idempotency-key': 'first' } },
          body: [row],
        }),
      )
    proxy.mishaps.push({ says: unready })
    const first = await send()
    expect(first).toMatchObject({ accepted: 1, rows: [{ status: 'accepted', id: 'l-1' }] })
    expect(await send()).toEqual(first)
  })

  it('reads lists page by page', async () => {
    const seen: string[] = []
    const ask = (cursor: { cursor?: string }) =>
      result(
        client.GET('/v1/programs/{program}/predictions', {
          params: { path: { program }, query: { limit: 200, ...cursor } },
        }),
      )
    let count = 0
    for await (const { predictions } of pages(ask)) {
      count++
      seen.push(...predictions.map(({ customer_id }) => customer_id as string))
    }
    expect([count, seen]).toEqual([3, customers])
  })
})

describe('a server that is not there for a moment', () => {
  it('is asked again when it wishes', async () => {
    proxy.requests.length = 0
    proxy.mishaps.push({ says: unready }, { cutAfter: 0 })
    expect((await summaryOf(client)).customers).toBe(500)
    expect(proxy.requests).toHaveLength(3)
  })

  it('is not asked again where that would do something twice, or takes too long', async () => {
    proxy.requests.length = 0
    const post = () =>
      result(
        client.POST('/v1/programs/{program}/events', {
          params: { path: { program } },
          body: [{ customer_id: 'c001', at: '2026-11-20', type: 'login' }],
        }),
      )
    proxy.mishaps.push({ says: unready }, { cutAfter: 0 }, { says: never })
    expect(await post().catch((error) => error)).toMatchObject({ status: 503, code: '' })
    expect(await post().catch((error) => error)).toBeInstanceOf(NoAnswer)
    expect(await summaryOf(client).catch((error) => error)).toMatchObject({ status: 503 })
    expect(proxy.requests).toHaveLength(3)
  })

  it('is given up in the end', async () => {
    const nobody = createClient({ url: 'http://127.0.0.1:1', key, retries: 0 })
    expect(await summaryOf(nobody).catch((error) => error)).toBeInstanceOf(NoAnswer)
  })
})

describe('the rows of a day', () => {
  const read = async (asked: LoyalcastClient, wanted = {}): Promise<string[]> => {
    const seen: string[] = []
    for await (const { customer_id } of predictionRows(asked, program, wanted))
      seen.push(customer_id as string)
    return seen
  }

  it.each([
    ['identity', 20_000],
    ['gzip', 2_000],
  ])('come in order, each once, whatever breaks on the way: %s', async (encoding, bytes) => {
    proxy.requests.length = 0
    const cut = { cutAfter: bytes }
    proxy.mishaps.push(cut, { cutAfter: 0 }, { says: unready }, cut)
    const broken = createClient({ url: proxy.url, key, fetch: alone(encoding) })
    expect(await read(broken)).toEqual(customers)
    expect(proxy.requests).toHaveLength(5)
    expect(proxy.requests.at(-1)).toMatch(encoding === 'gzip' ? /cursor=/ : /cursor=.*after=c\d+/)
  })

  it('are those that were wished for', async () => {
    expect(await read(client, { where: 'churn_90:above:0.4975' })).toEqual(['c498', 'c499'])
  })

  it('are given up where none comes any more', async () => {
    const few = createClient({ url: proxy.url, key, fetch: alone('identity'), retries: 0 })
    proxy.mishaps.push(...Array.from({ length: 6 }, () => ({ cutAfter: 1_200 })))
    await expect(read(few)).rejects.toThrow()
    proxy.mishaps.length = 0
  })
})
