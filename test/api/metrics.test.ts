import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Registry } from '../../src/model/registry.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let other: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: `timezone: Europe/Berlin\n${madeYaml}` })
  other = await makeLastingProgram({ yaml: `program: other\n${madeYaml}` })
  await publishDay(made, '2026-11-17', [madeRow('a')])
  await publishDay(made, '2026-11-18', [madeRow('a')])
  const registry = new Registry(made.modelsFolder, 'test')
  await registry.publish('2026-11-18-1', { 'card.json': '{}' })
  await registry.promote('2026-11-18-1', { at: '2026-11-18T00:00:00Z', reason: 'first' })
  served = await serveMade(made, [other.program])
})
afterAll(async () => {
  await served.close()
  await made.remove()
  await other.remove()
})

const scrape = async (of: Served, key?: string | null) =>
  (await of.ask('/metrics', key === undefined ? {} : { key })).text.split('\n')

describe('metrics', () => {
  it('are in the text format, each named once', async () => {
    const { status, headers, text } = await served.ask('/metrics')
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')])
    const named = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(new Set(named).size).toBe(named.length)
    expect(named).toEqual(
      expect.arrayContaining([
        ...['nodejs_eventloop_lag_seconds', 'process_resident_memory_bytes', 'loyalcast_info'],
        ...['loyalcast_http_requests_in_flight', 'loyalcast_http_request_duration_seconds'],
      ]),
    )
  })

  it('count requests by the pattern of their route, never by an address or a customer', async () => {
    for (const customer of ['a', 'a', 'nobody'])
      await served.ask(`/v1/programs/test/customers/${customer}/prediction`)
    await served.ask('/nothing/at/all')
    const lines = await scrape(served)
    const route = '/v1/programs/:program/customers/:customer_id/prediction'
    const counted = (status: number) =>
      `loyalcast_http_requests_total{method="GET",route="${route}",status="${status}"}`
    expect(lines).toContain(`${counted(200)} 2`)
    expect(lines).toContain(`${counted(404)} 1`)
    expect(lines).toContain(`loyalcast_http_request_duration_seconds_count{method="GET",route="${route}"} 3`)
    expect(lines).toContain('loyalcast_http_requests_total{method="GET",route="none",status="404"} 1')
    expect(lines).toContain('loyalcast_http_requests_in_flight 1')
    expect(lines.join('\n')).not.toMatch(/nobody|nothing\/at/)
  })

  it('tell of each program how old its predictions are, when it ran last and what serves', async () => {
    const lines = await scrape(served)
    // 13:00 on the 20th in Berlin, two days less eleven hours after the end of the 18th.
    expect(lines).toContain(`loyalcast_predictions_age_seconds{program="test"} ${(24 + 13) * 3600}`)
    expect(lines).toContain('loyalcast_predicted_days{program="test"} 2')
    expect(lines).toContain('loyalcast_champion_info{program="test",version="2026-11-18-1"} 1')
    const published = Date.parse('2026-11-20T12:00:00Z') / 1000
    expect(lines).toContain(`loyalcast_last_daily_run_timestamp_seconds{program="test"} ${published}`)
    expect(lines).toContain('loyalcast_predicted_days{program="other"} 0')
    expect(lines.join('\n')).not.toMatch(/(age_seconds|champion_info){program="other"/)
    expect(lines).toContain('loyalcast_question_jobs{status="waiting"} 0')
  })

  it('need a key, and tell it of its programs alone', async () => {
    expect((await served.ask('/metrics', { key: null })).body).toEqual(problem('unauthorized', 401))
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'Prometheus', role: 'reader', programs: ['other'] })
    const { key } = (await served.ask('/v1/keys', { method: 'POST', headers, body })).body
    const lines = await scrape(served, key)
    expect(lines).toContain('loyalcast_lake_readable{program="other"} 1')
    expect(lines.join('\n')).not.toContain('program="test"')
  })

  it('are open where the server is told so', async () => {
    const open = await serveMade(made, [], { isMetricsOpen: true })
    try {
      expect(await scrape(open, null)).toContain('loyalcast_predicted_days{program="test"} 2')
      const { paths } = (await open.ask('/openapi.json', { key: null })).body
      expect(paths['/metrics'].get.security).toEqual([])
    } finally {
      await open.close()
    }
  })
})
