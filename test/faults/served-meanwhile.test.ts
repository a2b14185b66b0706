import { afterAll, beforeAll, expect, it } from 'vitest'
import type { PredictionRow } from '../../src/lake/predictions.ts'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { type ServedProcess, startProcess } from '../crash/served-process.ts'
import { makeLastingProgram } from '../programs.ts'

const key = 'key-for-tests-0123456789'
const customers = 3000
const publications = 24
const address = '/v1/programs/test/predictions'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let servers: ServedProcess[]

beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publish(0)
  servers = await Promise.all([startProcess(made, key), startProcess(made, key)])
})
afterAll(async () => {
  for (const server of servers) await server.kill()
  await made.remove()
})

const versionOf = (number: number) => `2026-09-01-${number + 1}`
/** Every third time another day, else the same one anew. */
const dateOf = (number: number) => `2026-10-${String(1 + Math.floor(number / 3)).padStart(2, '0')}`

async function publish(number: number): Promise<void> {
  const more = { model_version: versionOf(number), churn_90: number / 100 }
  const rows = Array.from({ length: customers }, (_, place) => madeRow(`c${10_000 + place}`, more))
  await publishDay(made, dateOf(number), rows, versionOf(number))
}

async function get(server: ServedProcess, path: string): Promise<string> {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${key}` } })
  const text = await response.text()
  expect(response.status, text.slice(0, 500)).toBe(200)
  return text
}

/** Which publication rows come from. Fails where they come from several. */
function publicationOf(rows: readonly PredictionRow[]): number {
  const number = Math.round(Number(rows[0].churn_90) * 100)
  const of = { model_version: versionOf(number), date: dateOf(number), churn_90: number / 100 }
  for (const row of rows) expect(row).toMatchObject(of)
  return number
}

const linesOf = (text: string): PredictionRow[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Reads a page, the page behind it and the whole day: the first two are of one publication. */
async function readAll(server: ServedProcess): Promise<number> {
  const first = JSON.parse(await get(server, `${address}?limit=100`))
  const second = JSON.parse(await get(server, `${address}?limit=100&cursor=${first.next_cursor}`))
  const number = publicationOf([...first.predictions, ...second.predictions])
  const whole = linesOf(await get(server, `${address}.ndjson`))
  expect(whole).toHaveLength(customers)
  expect(publicationOf(whole)).toBeGreaterThanOrEqual(number)
  return number
}

it('two servers of a lake answer all along while days are published, each answer of one publication', async () => {
  let isOver = false
  const rounds = servers.map(() => 0)
  const readers = servers.map(async (server, place) => {
    let last = 0
    while (!isOver) {
      const number = await readAll(server)
      expect(number).toBeGreaterThanOrEqual(last)
      last = number
      rounds[place]++
    }
  })
  const publishAll = async () => {
    for (let number = 1; number < publications; number++) await publish(number)
    isOver = true
  }
  await Promise.all([publishAll(), ...readers])
  expect(Math.min(...rounds)).toBeGreaterThan(1)
  for (const server of servers) expect(await readAll(server)).toBe(publications - 1)
})
