import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeYaml } from './made-predictions.ts'
import { problem, type Served, type ServeOptions, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served | null = null
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
})
afterAll(() => made.remove())

/** A window that no test outlasts. */
const windowSeconds = 3600

async function serving(options: ServeOptions, act: (served: Served) => Promise<void>): Promise<void> {
  served = await serveMade(made, [], options)
  try {
    await act(served)
  } finally {
    await served.close()
  }
}
let ids = 0
const makeId = () => `limited${++ids}`
const makeKey = async ({ ask }: Served): Promise<string> => {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'x', role: 'reader' })
  return (await ask('/v1/keys', { method: 'POST', headers, body })).body.key
}

describe('a rate limit', () => {
  it('is of one key: what others send does not count', () =>
    serving({ makeId, rateLimit: { requests: 3, windowSeconds } }, async (served) => {
      const [one, other] = [await makeKey(served), await makeKey(served)]
      for (const left of ['2', '1', '0']) {
        const { status, headers } = await served.ask('/v1/me', { key: one })
        expect([status, headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')]).toEqual([
          ...[200, '3', left],
        ])
      }
      const { status, body, headers } = await served.ask('/v1/programs/test/summary', { key: one })
      expect([status, body]).toEqual([429, problem('too-many-requests', 429)])
      expect(headers.get('content-type')).toBe('application/problem+json')
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
      expect(Number(headers.get('ratelimit-reset'))).toBeLessThanOrEqual(windowSeconds)
      expect((await served.ask('/v1/me', { key: other })).status).toBe(200)
    }))

  it('is of one address for those without a key, who do not use up what keys may send', () =>
    serving({ makeId, rateLimit: { requests: 3, windowSeconds } }, async (served) => {
      const statuses: number[] = []
      for (const key of [null, 'wrong', null, null, 'wrong'])
        statuses.push((await served.ask('/v1/me', { key })).status)
      expect(statuses).toEqual([401, 401, 401, 429, 429])
      expect((await served.ask('/healthz', { key: null })).body).toEqual(problem('too-many-requests', 429))
      expect((await served.ask('/nothing', { key: null })).status).toBe(429)
      expect((await served.ask('/v1/me')).status).toBe(200)
    }))

  it('can be left out', () =>
    serving({ makeId, rateLimit: null }, async (served) => {
      for (let n = 0; n < 20; n++) {
        const { status, headers } = await served.ask('/v1/me')
        expect([status, headers.get('ratelimit-limit')]).toEqual([200, null])
      }
    }))
})

describe('other sites', () => {
  const origin = 'https://bi.example.org'
  const preflight = {
    ...{ method: 'OPTIONS', key: null },
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    },
  }

  it('may read nothing unless they are named', () =>
    serving({}, async (served) => {
      const { status, headers } = await served.ask('/v1/programs', preflight)
      expect([status, headers.get('access-control-allow-origin')]).toEqual([401, null])
    }))

  it('that are named may ask before they have sent a key, and read answers', () =>
    serving({ corsOrigins: [origin] }, async (served) => {
      const asked = await served.ask('/v1/programs', preflight)
      expect([asked.status, asked.text]).toEqual([204, ''])
      expect(asked.headers.get('access-control-allow-origin')).toBe(origin)
      expect(asked.headers.get('access-control-allow-headers')).toContain('authorization')
      for (const [path, status] of [
        ['/v1/programs', 200],
        ['/v1/nothing', 404],
      ] as const) {
        const answer = await served.ask(path, { headers: { origin } })
        expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([status, origin])
        expect(answer.headers.get('access-control-expose-headers')).toContain('etag')
        expect(answer.headers.get('vary')).toContain('Origin')
        expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
      }
      const stranger = { headers: { origin: 'https://bi.example.org.evil.example' } }
      const refused = await served.ask('/v1/programs', stranger)
      expect(refused.headers.get('access-control-allow-origin')).toBeNull()
    }))
})

describe('behind a proxy', () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9' }

  it.each([
    ['that is trusted clients are told apart', ['127.0.0.1'], '203.0.113.9'],
    ['that nobody trusts its word does not count', null, '127.0.0.1'],
  ])('%s', async (_, trustedProxies, address) =>
    serving({ makeId, trustedProxies }, async (served) => {
      await served.ask('/v1/keys/none', { method: 'DELETE', headers: forwarded })
      expect((await served.read('/v1/audit?limit=1')).entries[0].remote_address).toBe(address)
    }),
  )
})
