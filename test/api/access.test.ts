import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LakeReader } from '../../src/lake/lake-reader.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { key, problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let other: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  other = await makeLastingProgram({ yaml: `program: other\n${madeYaml}` })
  await publishDay(made, '2026-10-01', [madeRow('mine')])
  await publishDay({ ...other, dataFolder: made.dataFolder }, '2026-10-01', [madeRow('theirs')])
  served = await serveMade(made, [other.program])
})
afterAll(async () => {
  await served.close()
  await made.remove()
  await other.remove()
})

const behindKey = [
  '/v1/programs',
  '/v1/programs/test/summary',
  '/v1/programs/test/predictions',
  '/v1/programs/test/models',
  '/v1/programs/test/scenarios',
  '/v1/programs/test/customers/mine/prediction',
]
/** What is written to, and how; none of it is there. */
const written = [
  ['POST', '/v1/programs/test/what-if'],
  ['POST', '/v1/programs/test/scenarios'],
  ['DELETE', '/v1/programs/test/scenarios/x'],
  ['POST', '/v1/programs/test/scenarios/x/answer'],
  ['GET', '/v1/programs/test/jobs/x'],
] as const
const open = ['/', '/healthz', '/readyz', '/openapi.json', '/docs']

describe('what is behind the key', () => {
  it.each(behindKey)('answers to it: %s', async (path) => {
    const { status, headers } = await served.ask(path)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
  })

  const wrongKeys: [string, Readonly<Record<string, string>>][] = [
    ['none', {}],
    ['a wrong one', { authorization: 'Bearer key-for-tests-0123456788' }],
    ['its beginning', { authorization: `Bearer ${key.slice(0, -1)}` }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`a:${key}`).toString('base64')}` }],
    ['no scheme', { authorization: key }],
    ['an empty one', { authorization: 'Bearer ' }],
  ]
  describe.each([...behindKey, '/v1', '/v1/nothing/here'])('%s', (path) => {
    it.each(wrongKeys)('answers 401 and nothing else to %s', async (_, headers) => {
      for (const method of ['GET', 'POST']) {
        const answer = await served.ask(path, { key: null, headers, method })
        expect(answer.body).toEqual({ ...problem('unauthorized', 401), instance: path })
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="loyalcast"/)
        expect(answer.headers.get('content-type')).toBe('application/problem+json')
        expect(answer.text).not.toContain('key-for-tests')
      }
    })
  })

  it.each(written)('answers 401 to whoever wants to write without it: %s %s', async (method, path) => {
    for (const [, headers] of wrongKeys) {
      const answer = await served.ask(path, { key: null, headers, method })
      expect(answer.body).toEqual({ ...problem('unauthorized', 401), instance: path })
    }
  })

  it('is not reached by other spellings of its address', async () => {
    for (const path of [
      '//v1/programs',
      '/%76%31/programs',
      '/V1/programs',
      '/v1//programs',
      '/./v1/programs',
    ])
      expect([401, 404]).toContain((await served.ask(path, { key: null })).status)
  })

  it.each(open)('does not include %s', async (path) => {
    expect((await served.ask(path, { key: null })).status).toBe(200)
  })
})

describe('what is not there', () => {
  it.each([
    ['/v1/nothing', 'unknown-route'],
    ['/nothing', 'unknown-route'],
    ['/assets/x/page.js', 'unknown-route'],
    ['/v1/programs/none/summary', 'unknown-program'],
    ['/v1/programs/__proto__/summary', 'unknown-program'],
    ['/v1/programs/..%2Fother/models', 'unknown-program'],
    ['/v1/programs/test/customers/nobody/prediction', 'unknown-customer'],
    ['/v1/programs/test/customers/theirs/prediction', 'unknown-customer'],
    ['/v1/programs/test/predictions?date=2020-02-29', 'no-predictions'],
    ['/v1/programs/none/scenarios', 'unknown-program'],
    ['/v1/programs/test/scenarios/x', 'unknown-scenario'],
    ['/v1/programs/test/scenarios/x/answers', 'unknown-scenario'],
    ['/v1/programs/none/jobs/x', 'unknown-program'],
    ['/v1/programs/test/jobs/x', 'unknown-job'],
  ])('is answered with 404: %s, %s', async (path, code) => {
    const { body, headers } = await served.ask(path)
    expect(body).toMatchObject(problem(code, 404))
    expect(headers.get('x-request-id')).toBe(body.request_id)
  })

  it('is said of the right program', async () => {
    expect((await served.read('/v1/programs/other/customers/theirs/prediction')).program).toBe('other')
  })
})

describe('a request that is not valid', () => {
  it.each([
    ['/v1/programs/test/summary?date=2026-13-01', 'date', /a day looks like/],
    ['/v1/programs/test/summary?date=2026-10-01&date=2026-10-02', 'date', /string/],
    ['/v1/programs/test/summary?day=2026-10-01', 'day', /not a parameter/],
    ['/v1/programs?__proto__=1', '__proto__', /not a parameter/],
    ['/v1/programs/test/predictions?limit=0', 'limit', /1 to 1000/],
    ['/v1/programs/test/predictions?limit=1001', 'limit', /1 to 1000/],
    ['/v1/programs/test/predictions?limit=1.5', 'limit', /1 to 1000/],
    ['/v1/programs/test/predictions?limit=all', 'limit', /1 to 1000/],
    ['/v1/programs/test/predictions?sort=value_at_rsk', 'sort', /Did you mean value_at_risk/],
    ['/v1/programs/test/predictions?where=churn_90', 'where', /field:test:value/],
    ['/v1/programs/test/predictions?where=churn_9:above:0.1', 'where', /Did you mean churn_90/],
    ['/v1/programs/test/predictions?where=churn_90:above:much', 'where', /is a number/],
    ['/v1/programs/test/predictions?where=segment:above:1', 'where', /is and in, not above/],
    ['/v1/programs/test/predictions?fields=customer_id,churn', 'fields', /Allowed: program/],
    ['/v1/programs/test/predictions?cursor=', 'cursor', /empty/],
    [`/v1/programs/test/customers/${'x'.repeat(513)}/prediction`, 'customer_id', /512/],
    [`/v1/programs/${'x'.repeat(49)}/models`, 'program', /48/],
  ])('names the field and what is allowed: %s', async (path, field, words) => {
    const { body } = await served.ask(path)
    expect(body).toMatchObject(problem('invalid-request', 400))
    expect(body.errors).toEqual([{ field, detail: expect.stringMatching(words) }])
    expect(body.detail).toContain(field)
  })

  it('cannot sort by an outcome that the program does not have', async () => {
    const { dataFolder } = made
    const plain = await makeLastingProgram({
      yaml: 'program: plain\nsources: { events: { file: e.csv } }\noutcomes: { sale: { event: [buy] } }',
    })
    await publishDay({ program: plain.program, dataFolder }, '2026-10-01', [madeRow('a')])
    const beside = await serveMade({ ...plain, dataFolder })
    const { body } = await beside.ask('/v1/programs/plain/predictions?sort=-churn')
    await beside.close()
    await plain.remove()
    expect(body.errors).toEqual([{ field: 'sort', detail: expect.stringMatching(/no outcome called churn/) }])
  })

  const allowed: readonly (readonly [path: string, allow: string])[] = [
    ...[...behindKey, ...open].map(
      (path) => [path, path.endsWith('/scenarios') ? 'GET, HEAD, POST' : 'GET, HEAD'] as const,
    ),
    ['/docs/', 'GET, HEAD'],
    ['/v1/programs/test/what-if', 'POST'],
    ['/v1/programs/test/scenarios/x', 'GET, HEAD, DELETE'],
    ['/v1/programs/test/scenarios/x/answer', 'POST'],
  ]
  it.each(allowed)('with another method is answered with 405: %s allows %s', async (path, allow) => {
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
    for (const method of methods.filter((one) => !allow.includes(one))) {
      const { body, headers } = await served.ask(path, { method })
      expect(body).toMatchObject(problem('method-not-allowed', 405))
      expect(headers.get('allow')).toBe(allow)
      expect(body.detail).toContain(`${method} is not possible here`)
    }
  })

  it('may ask for the head alone', async () => {
    for (const path of [...behindKey, ...open]) {
      const { status, text } = await served.ask(path, { method: 'HEAD' })
      expect([path, status, text]).toEqual([path, 200, ''])
    }
  })

  it.each([
    ['an address that cannot be decoded', '/v1/programs/%zz/models', 400, 'invalid-request'],
    ['a part that no name can have', `/v1/programs/${'x'.repeat(3000)}/models`, 414, 'address-too-long'],
  ])('is answered with a problem: %s', async (_, path, status, code) => {
    const { body } = await served.ask(path)
    expect(body).toMatchObject(problem(code, status))
  })

  it('with headers that are too large is answered with 431', async () => {
    const { status, body } = await served.ask('/healthz', { headers: { 'x-much': 'x'.repeat(20_000) } })
    expect([status, body.type]).toEqual([431, 'urn:loyalcast:problem:headers-too-large'])
  })

  it('that is no HTTP is answered with 400', async () => {
    const said = await new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(served.url)
      const socket = connect({ host: hostname, port: Number(port) }, () => socket.write('nonsense\r\n\r\n'))
      let text = ''
      socket.on('data', (data) => {
        text += data
      })
      socket.on('end', () => resolve(text)).on('error', reject)
    })
    expect(said).toMatch(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(said.split('\r\n\r\n')[1])).toMatchObject({ status: 400 })
  })

  it('is not let in by a body', async () => {
    const sent = await new Promise<number>((resolve, reject) => {
      const asked = request(`${served.url}/v1/programs`, { method: 'POST' }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      asked.on('error', reject)
      asked.end('x'.repeat(1_000_000))
    })
    expect(sent).toBe(401)
  })
})

describe('an answer', () => {
  it('carries security headers and lets no other site read it', async () => {
    for (const path of [...behindKey, ...open, '/nothing']) {
      const { headers } = await served.ask(path, { headers: { origin: 'https://example.org' } })
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none';.*frame-ancestors 'none'/)
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('server')).toBeNull()
    }
  })

  it('is not sent again to whoever has it', async () => {
    for (const path of behindKey) {
      const { headers } = await served.ask(path)
      const tag = headers.get('etag') ?? ''
      expect(tag).toMatch(/^W\/"[\w-]{27}"$/)
      expect(headers.get('cache-control')).toBe('private, no-cache')
      const same = await served.ask(path, { headers: { 'if-none-match': `"other", ${tag.slice(2)}` } })
      expect([same.status, same.text]).toEqual([304, ''])
      expect((await served.ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    }
  })

  it('leaves a line in the log that holds neither the key nor an id of a customer', async () => {
    served.log.length = 0
    await served.ask('/v1/programs/test/customers/mine/prediction?date=2026-10-01')
    await served.ask(`/v1/programs?key=${key}`, { key: 'a-wrong-key-0123456789' })
    expect(served.log.map((line) => JSON.parse(line))).toMatchObject([
      { method: 'GET', route: '/v1/programs/:program/customers/:customer_id/prediction', status: 200 },
      { method: 'GET', route: '/v1/programs', status: 401 },
    ])
    expect(served.log.join('')).not.toMatch(/mine|key-for-tests|a-wrong-key/)
  })

  it('to what went wrong here shows nothing of the inside', async () => {
    const broken = await makeLastingProgram({ yaml: madeYaml })
    await publishDay(broken, '2026-10-01', [madeRow('a')])
    const { folder, state } = await new LakeReader(broken.dataFolder, broken.program).current()
    await broken.write(`../data/test/${state.predictions.get('2026-10-01')?.path}`, 'no Parquet')
    const beside = await serveMade(broken)
    const { body, text } = await beside.ask('/v1/programs/test/predictions')
    expect(body).toMatchObject(problem('internal', 500))
    expect(text).not.toMatch(/parquet|\.ts|\/data|select/i)
    expect(beside.log.join('')).toContain(folder)
    await broken.write('../data/test/commits/00000001.json', '{}')
    const damaged = await beside.ask('/v1/programs/test/predictions')
    expect(damaged.body).toMatchObject(problem('unavailable', 503))
    expect(damaged.text).not.toContain(folder)
    await beside.close()
    await broken.remove()
  })
})
