import { afterAll, beforeAll, expect, it } from 'vitest'
import { problem, type Served, serveMade } from './served.ts'
import { makeTrainedCompany, type TrainedCompany } from './trained-company.ts'

let made: TrainedCompany
let served: Served
beforeAll(async () => {
  made = await makeTrainedCompany()
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const base = '/v1/programs/small-company'
const question = { name: 'Fewer tickets', population: {}, changes: [{ events: ['ticket'], remove: 0.5 }] }

function post(path: string, body: unknown, key: string) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  return served.ask(`${base}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

it('a scenario that is saved twice under one Idempotency-Key is there once, and answered the same', async () => {
  const body = { name: 'one', question }
  const first = await post('scenarios', body, 'k1')
  const again = await post('scenarios', body, 'k1')
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text])
  expect(again.headers.get('location')).toBe(first.headers.get('location'))
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect((await served.read(`${base}/scenarios`)).scenarios).toHaveLength(1)
})

it('another one under the same key is refused; what failed may be tried again', async () => {
  const other = await post('scenarios', { name: 'two', question }, 'k1')
  expect([other.status, other.body]).toEqual([422, problem('idempotency-key-reused', 422)])
  const wrong = { ...question, changes: [{ events: ['nothing like it'], remove: 0.5 }] }
  expect((await post('what-if', wrong, 'k2')).status).toBe(422)
  expect((await post('what-if', question, 'k2')).status).toBe(200)
  const replayed = await post('what-if', question, 'k2')
  expect([replayed.status, replayed.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
})
