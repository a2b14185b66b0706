import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeYaml } from './made-predictions.ts'
import { problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const takers = ['/v1/programs/test/what-if', '/v1/programs/test/scenarios']
const json = { 'content-type': 'application/json' }
const bodies: readonly [string, string | undefined, Record<string, string>, string, number, RegExp][] = [
  ['no JSON', '{', json, 'invalid-request', 400, /no JSON/],
  ['an empty one', '', json, 'invalid-request', 400, /empty/],
  ['one that changes what all objects are', '{"__proto__":{}}', json, 'invalid-request', 400, /no JSON/],
  ['text', '{}', { 'content-type': 'text/plain' }, 'unsupported-media-type', 415, /application\/json/],
  [
    'a form',
    'a=b',
    { 'content-type': 'application/x-www-form-urlencoded' },
    'unsupported-media-type',
    415,
    /application\/json/,
  ],
  [
    'one of 65 KiB',
    JSON.stringify({ name: 'x'.repeat(65 * 1024) }),
    json,
    'body-too-large',
    413,
    /65536 bytes/,
  ],
  ['none', undefined, {}, 'invalid-request', 400, /body/],
]
describe.each(takers)('%s', (path) => {
  it.each(bodies)('cannot take a body that is %s', async (_, body, headers, code, status, words) => {
    const answer = await served.ask(path, { method: 'POST', headers, ...(body !== undefined && { body }) })
    expect(answer.body).toMatchObject(problem(code, status))
    expect(answer.body.detail).toMatch(words)
  })
})
