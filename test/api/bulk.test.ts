import { rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServedProgram } from '../../src/api/served-program.ts'
import type { PredictionRow } from '../../src/lake/predictions.ts'
import { openReadingDatabase } from '../../src/lake/read-predictions.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { key, type Served, serveMade } from './served.ts'

const address = '/v1/programs/test/predictions'
const segments = ['at-risk-passives', null, 'silent-detractors']
const driver = '[{"feature":"tickets","words":"tickets, \\"open\\"","value":2}]'
const rows = Array.from({ length: 250 }, (_, n) =>
  madeRow(`c${String(n).padStart(3, '0')}`, {
    churn_90: n / 1000,
    value_at_risk: n % 7 === 0 ? null : (n % 5) + 0.25,
    segment: segments[n % 3],
    nps_class: n % 2 === 0 ? 'promoter' : 'detractor',
    top_drivers: n === 3 ? driver : '[]',
  }),
)
const ids = rows.map((row) => row.customer_id)

const linesOf = (text: string): PredictionRow[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', rows.slice(0, 20))
  await publishDay(made, '2026-10-02', rows)
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

describe('a day in bulk', () => {
  it('is the same rows in the same order as page by page, in each format', async () => {
    const page = await served.read(`${address}?limit=1000`)
    const ndjson = await served.ask(`${address}.ndjson`)
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    expect(linesOf(ndjson.text)).toEqual(page.predictions)
    const csv = await served.ask(`${address}.csv`)
    const table = parse(csv.text, { columns: true }) as Record<string, string>[]
    expect(table.map((row) => row.customer_id)).toEqual(ids)
    expect([table[3].top_drivers, table[3].churn_90, table[0].value_at_risk]).toEqual([driver, '0.003', ''])
  })

  it('comes from the address of the pages, too, for whoever asks for another type than JSON', async () => {
    for (const [format, type] of [
      ['ndjson', 'application/x-ndjson'],
      ['csv', 'text/html;q=0.2, text/csv;q=0.9, */*;q=0.1'],
    ]) {
      const asked = await served.ask(address, { headers: { accept: type } })
      expect(asked.text).toBe((await served.ask(`${address}.${format}`)).text)
    }
    for (const accept of ['text/html', '*/*', 'application/json', 'text/html, */*;q=0.1'])
      expect((await served.ask(address, { headers: { accept } })).body.predictions.length).toBe(100)
  })

  it('of Parquet is a file that other tools read', async () => {
    const response = await fetch(`${served.url}${address}.parquet`, {
      headers: { authorization: `Bearer ${key}` },
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1'])
  })

  it('is packed for whoever takes it so, and is the same when unpacked', async () => {
    const sent = await new Promise<IncomingMessage>((resolve) =>
      get(
        `${served.url}${address}.ndjson`,
        { headers: { authorization: `Bearer ${key}`, 'accept-encoding': 'gzip' } },
        resolve,
      ),
    )
    expect(sent.headers['content-encoding']).toBe('gzip')
    const plain = await served.ask(`${address}.ndjson`)
    expect(gunzipSync(await buffer(sent)).toString()).toBe(plain.text)
  })

  it('of an earlier day, whose rows are not ready to be sent, has the same form', async () => {
    const early = linesOf((await served.ask(`${address}.ndjson?date=2026-10-01`)).text)
    const late = linesOf((await served.ask(`${address}.ndjson?limit=20`)).text)
    expect(early).toEqual(late.map((row) => ({ ...row, date: '2026-10-01' })))
  })

  it('is answered with 304 to whoever has it, and anew once the day is published again', async () => {
    const again = await makeLastingProgram({ yaml: madeYaml })
    await publishDay(again, '2026-10-02', rows)
    const other = await serveMade(again)
    const first = await other.ask(`${address}.ndjson`)
    const headers = { 'if-none-match': first.headers.get('etag') as string }
    const same = await other.ask(`${address}.ndjson`, { headers })
    expect([same.status, same.text]).toEqual([304, ''])
    expect((await other.ask(`${address}.csv`, { headers })).status).toBe(200)
    await publishDay(again, '2026-10-02', rows.slice(1))
    expect((await other.ask(`${address}.ndjson`, { headers })).status).toBe(200)
    await other.close()
    await again.remove()
  })

  it.each(['', '&where=churn_90:above:0.05'])('comes whole in parts, as cursors say: %s', async (query) => {
    const whole = linesOf((await served.ask(`${address}.ndjson?${query}`)).text)
    const seen: PredictionRow[] = []
    let cursor: string | null = null
    do {
      const part = await served.ask(
        `${address}.ndjson?limit=60${cursor === null ? query : `&cursor=${cursor}`}`,
      )
      expect(part.status).toBe(200)
      const found = linesOf(part.text)
      expect(found.length).toBeLessThanOrEqual(60)
      seen.push(...found)
      cursor = part.headers.get('loyalcast-next-cursor')
    } while (cursor !== null)
    expect(seen).toEqual(whole)
  })

  it('goes on behind the last whole row after a break, with the day as it was', async () => {
    const again = await makeLastingProgram({ yaml: madeYaml })
    await publishDay(again, '2026-10-02', rows)
    const other = await serveMade(again)
    const begun = await other.ask(`${address}.ndjson?where=churn_90:below:0.1`)
    const cursor = begun.headers.get('loyalcast-cursor')
    await publishDay(again, '2026-10-02', [madeRow('zzz')])
    const rest = await other.ask(`${address}.ndjson?cursor=${cursor}&after=c041`)
    expect(linesOf(rest.text)).toEqual(linesOf(begun.text).slice(42))
    await other.close()
    await again.remove()
  })
})

describe('rows that are picked', () => {
  const picked = async (query: string) =>
    (await served.read(`${address}?limit=1000&${query}`)).predictions.map(
      (row: PredictionRow) => row.customer_id,
    )
  const those = (isPicked: (row: PredictionRow, n: number) => boolean) =>
    rows.filter(isPicked).map((row) => row.customer_id)

  it.each<[string, (row: PredictionRow, n: number) => boolean]>([
    ['segment=silent-detractors', (row) => row.segment === 'silent-detractors'],
    ['nps_class=detractor&where=churn_90:above:0.2', (_, n) => n > 200 && n % 2 === 1],
    ['where=segment:is:', (row) => row.segment === null],
    ['where=value_at_risk:is:', (_, n) => n % 7 === 0],
    ['where=customer_id:in:c001,c9,c249', (_, n) => n === 1 || n === 249],
    ['where=churn_90:above:0.1&where=churn_90:below:0.103', (_, n) => n === 101 || n === 102],
    ['where=value_at_risk:in:,1.25', (_, n) => n % 7 === 0 || n % 5 === 1],
  ])('are those that fit: %s', async (query, isPicked) => {
    expect(await picked(query)).toEqual(those(isPicked))
  })

  it('come page by page in any order, each once', async () => {
    for (const sort of ['value_at_risk', '-value_at_risk', '-churn']) {
      const whole = await picked(`sort=${sort}&nps_class=promoter`)
      const seen: unknown[] = []
      let cursor: string | null = null
      do {
        const query = cursor === null ? `sort=${sort}&nps_class=promoter` : `cursor=${cursor}`
        const page = await served.read(`${address}?limit=17&${query}`)
        seen.push(...page.predictions.map((row: PredictionRow) => row.customer_id))
        cursor = page.next_cursor
      } while (cursor !== null)
      expect(seen).toEqual(whole)
      expect(new Set(seen)).toEqual(new Set(those((_, n) => n % 2 === 0)))
    }
  })

  it('keep missing amounts for the end, lowest first and highest first', async () => {
    const missing = those((_, n) => n % 7 === 0)
    for (const sort of ['value_at_risk', '-value_at_risk'])
      expect((await picked(`sort=${sort}`)).slice(-missing.length)).toEqual(missing)
  })

  it('have the fields that were asked for, in that order', async () => {
    const { predictions } = await served.read(
      `${address}?limit=2&fields=churn_90,customer_id,flags&sort=-churn`,
    )
    expect(predictions.map((row: object) => Object.entries(row))).toEqual([
      [
        ['churn_90', 0.249],
        ['customer_id', 'c249'],
        ['flags', { churn: 'model' }],
      ],
      [
        ['churn_90', 0.248],
        ['customer_id', 'c248'],
        ['flags', { churn: 'model' }],
      ],
    ])
  })
})

describe('rows for a CRM system', () => {
  it('are batches of up to 100 for HubSpot, each the body of a request', async () => {
    const { text } = await served.ask(
      `${address}.ndjson?for=hubspot&id_field=crm_id&fields=churn_90:churn_risk,segment`,
    )
    const batches = linesOf(text) as unknown as {
      inputs: { id: string; idProperty: string; properties: object }[]
    }[]
    expect(batches.map(({ inputs }) => inputs.length)).toEqual([100, 100, 50])
    expect(batches[0].inputs[1]).toEqual({
      id: 'c001',
      idProperty: 'crm_id',
      properties: { churn_risk: '0.001', segment: '' },
    })
  })

  it('are CSV for Bulk API 2.0 of Salesforce, where a missing value clears the field', async () => {
    const { text, headers } = await served.ask(`${address}.csv?for=salesforce`)
    const [first, second] = parse(text, { columns: true }) as Record<string, string>[]
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect([first.Customer_Id__c, first.Loyalcast_value_at_risk__c]).toEqual(['c000', '#N/A'])
    expect(second).toMatchObject({ Loyalcast_churn_90__c: '0.001', Loyalcast_date__c: '2026-10-02' })
    expect(text).not.toContain('\r')
  })

  it('are refused in a format that the system does not take', async () => {
    const { status, body } = await served.ask(`${address}.csv?for=hubspot`)
    expect([status, body.errors[0].field]).toEqual([400, 'for'])
  })
})

describe('rows that are ready to be sent', () => {
  it('are, byte for byte, those that are read from the published file, in several servers of a lake', async () => {
    const again = await makeLastingProgram({ yaml: madeYaml })
    await publishDay(again, '2026-10-02', rows)
    const spillFolder = join(again.folder, 'spill')
    const database = await openReadingDatabase({ spillFolder, memoryLimit: '500MB' })
    const errors: unknown[] = []
    const program = new ServedProgram(again.program, {
      ...{ ...again, database, spillFolder },
      onError: (error) => errors.push(error),
    })
    const wanted = [249, 0, 3, 100]
    const read = () =>
      program.readDay(undefined, async ({ lines, rows: dayRows }) => ({
        isReady: lines !== null,
        some: (await dayRows.read(wanted)).map(String),
        one: String(await dayRows.find('c003')),
        none: await dayRows.find('c0031'),
        after: [await dayRows.after('c003'), await dayRows.after('c0031'), await dayRows.after('')],
      }))
    const first = await read()
    await program.prepare()
    const second = await read()
    expect([first.isReady, second.isReady]).toEqual([false, true])
    expect({ ...second, isReady: false }).toEqual(first)
    expect([first.none, first.after]).toEqual([null, [4, 4, 0]])
    expect(errors).toEqual([])
    const beside = new ServedProgram(again.program, {
      ...{ ...again, database, spillFolder },
      onError: (error) => errors.push(error),
    })
    await publishDay(again, '2026-10-03', rows)
    await Promise.all([program.prepare(), beside.prepare()])
    const both = await Promise.all(
      [program, beside].map((one) =>
        one.readDay(undefined, async ({ lines, day }) => [day.date, lines?.rows]),
      ),
    )
    expect([both, errors]).toEqual([Array(2).fill(['2026-10-03', 250]), []])
    await beside.close()
    await program.close()
    database.close()
    await rm(spillFolder, { recursive: true, force: true })
    await again.remove()
  })
})
