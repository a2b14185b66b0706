import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isKept, judgeRow } from '../../src/domain/incoming-rows.ts'
import { type TableName, tableNames } from '../../src/domain/program.ts'
import { ingestMade, now } from '../lakes.ts'
import { type FileRow, makeProgram } from '../programs.ts'
import { send } from './sending.ts'

const good: Readonly<Record<TableName, FileRow>> = {
  events: { customer_id: 'a', at: '2026-10-01', type: 'login' },
  customers: { customer_id: 'a' },
  responses: { customer_id: 'a', at: '2026-10-01', metric: 'nps', score: 9 },
  interventions: { customer_id: 'a', at: '2026-10-01', initiative: 'call', arm: 'called' },
}

const reasonOf = (table: TableName, change: FileRow) => {
  const judged = judgeRow(table, { ...good[table], ...change }, Date.parse(now))
  return isKept(judged) ? null : judged.reason
}

describe('a row that is sent', () => {
  it.each<[TableName, FileRow, string | null]>([
    ['events', { customer_id: '' }, 'no_customer'],
    ['events', { customer_id: ' nan ' }, 'no_customer'],
    ['events', { customer_id: 7 }, null],
    ['events', { customer_id: ['a'] }, 'bad_text'],
    ['events', { customer_id: 'x'.repeat(513) }, 'bad_text'],
    ['events', { type: '\ud800' }, 'bad_text'],
    ['events', { type: 'a\0b' }, 'bad_text'],
    ['events', { at: '' }, 'bad_time'],
    ['events', { at: 1_700_000_000 }, 'bad_time'],
    ['events', { at: '2026-02-30' }, 'bad_time'],
    ['events', { at: '2026-10-01 25:00' }, 'bad_time'],
    ['events', { at: '2026-10-01T10:00:00+25:00' }, 'bad_time'],
    ['events', { at: '2026-10-01T10:00:00.123456+05:30' }, null],
    ['events', { at: '2026-10-01T10:00z' }, null],
    ['events', { at: '1970-01-01' }, 'empty_time'],
    ['events', { at: '0001-01-01' }, 'empty_time'],
    ['events', { at: '2028-01-01' }, 'far_future'],
    ['events', { at: '2027-10-01' }, null],
    ['events', { type: ' ' }, 'no_type'],
    ['events', { value: 'inf' }, 'bad_value'],
    ['events', { value: '5,00' }, 'bad_value'],
    ['events', { value: true }, 'bad_value'],
    ['events', { value: 1e13 }, 'bad_value'],
    ['events', { value: ' 5.5 ' }, null],
    ['events', { value: null, channel: null }, null],
    ['events', { cart: { items: 2 } }, 'bad_property'],
    ['events', { 'a"b': 1 }, 'bad_property'],
    ['events', { Plan: 1, plan: 2 }, 'bad_property'],
    ['events', { Type: 'other' }, 'bad_property'],
    ['events', { note: 'x'.repeat(1001) }, 'bad_property'],
    ['events', Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`p${at}`, 1])), 'bad_property'],
    ['responses', { score: 11 }, 'score_out_of_range'],
    ['responses', { score: '7.5' }, 'score_out_of_range'],
    ['responses', { score: '' }, 'bad_value'],
    ['responses', { metric: ' NPS ', score: '10.0' }, null],
    ['responses', { metric: 'stars' }, 'unknown_metric'],
    ['responses', { metric: 'constructor' }, 'unknown_metric'],
    ['responses', { weight: -1 }, 'bad_value'],
    ['interventions', { arm: ' ' }, 'no_arm'],
    ['customers', { joined_at: '1965-03-01' }, null],
    ['customers', { joined_at: '1970-01-01T00:00:00Z' }, 'empty_time'],
    ['customers', { joined_at: 'long ago' }, 'bad_time'],
    ['customers', { valid_from: '9999-12-31' }, 'far_future'],
    ['customers', { observed_until: '9999-12-31' }, null],
    ['customers', { observed_until: '1970-01-01' }, 'empty_time'],
    ['customers', { annual_value: 'much' }, 'bad_value'],
  ])('to %s with %j: %s', (table, change, reason) => {
    expect(reasonOf(table, change)).toBe(reason)
  })

  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, 'inf', '1e400', '0x10', 'NaN', 'true', '00123', '2026-01-01', '1970-01-01', {}, []),
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    fc.constantFrom(
      '2026-03-29 02:30',
      '2026-10-25 02:30:00',
      '1970-01-01 00:00',
      '1969-12-31T23:59:59-12:00',
    ),
  )
  const names = fc.oneof(
    fc.constantFrom(
      ...['customer_id', 'at', 'type', 'value', 'event_id', 'valid_from', 'joined_at', 'observed_until'],
      ...['annual_value', 'metric', 'score', 'weight', 'cost', 'comment', 'received_at', 'place', 'extra'],
      ...[
        'source',
        'row',
        'raw',
        'reason',
        'key',
        'bad time',
        'unread',
        'ordinal',
        'loyalcast row',
        'day',
        'bucket',
        'undated',
        'a.b',
        'a-b',
        'A.B',
        '$x',
        'ÄÖ',
      ],
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )

  it('and accepted is never refused by the ingest that comes after it, whatever it holds', async () => {
    const rows = fc.record({
      table: fc.constantFrom(...tableNames),
      change: fc.dictionary(names, value, { maxKeys: 4 }),
    })
    const sample = fc.sample(rows, { numRuns: 3000, seed: 5 })
    const made = await makeProgram({ yaml: 'outcomes: { churn: { absence_of: login } }' })
    for (const table of tableNames) {
      const sent = sample.filter((row) => row.table === table)
      const changed = sent.map(({ change }) => ({ ...good[table], ...change }))
      const answers = await send(made, table, changed)
      const accepted = answers.filter(({ status }: { status: string }) => status === 'accepted').length
      expect(accepted).toBeGreaterThan(50)
      const report = (await ingestMade(made)).sources.find(({ source }) => source === `${table}[api]`)
      expect([report?.read, report?.reasons]).toEqual([accepted, {}])
    }
  })
})
