import { describe, expect, it } from 'vitest'
import { findProblems } from '../../src/cli/check-findings.ts'
import type { ColumnKind, LakeState, SourceReading } from '../../src/lake/commits.ts'
import { parse, programWith } from '../domain/program-texts.ts'

/** A lake whose one source of events supplied these types, up to a day. */
function lakeOf(
  types: readonly string[],
  { lastDay = '2026-10-01', attributes = [] as string[], initiatives = [] as string[] } = {},
): LakeState {
  const reading = (
    key: string,
    table: SourceReading['table'],
    more: Partial<SourceReading>,
  ): SourceReading => ({
    key,
    table,
    meaning: '',
    definition: '',
    inputs: null,
    counts: { read: 1, stored: 1, duplicate: 0, quarantined: 0 },
    reasons: {},
    spans: {},
    columns: {},
    quarantine: [],
    inbox: null,
    ...more,
  })
  const spans = Object.fromEntries(types.map((type) => [type, { rows: 1, firstDay: '2026-01-01', lastDay }]))
  const columns = Object.fromEntries(attributes.map((name): [string, ColumnKind] => [name, 'number']))
  const readings = [
    reading('events[0]', 'events', { spans }),
    reading('customers[0]', 'customers', { columns }),
    reading('interventions[0]', 'interventions', {
      spans: Object.fromEntries(
        initiatives.map((name) => [name, { rows: 1, firstDay: lastDay, lastDay: lastDay }]),
      ),
    }),
    reading('responses[0]', 'responses', { spans: { nps: { rows: 1, firstDay: lastDay, lastDay } } }),
  ]
  const sources = new Map(readings.map((one) => [one.key, one]))
  return {
    sequence: 1,
    buckets: 8,
    timezone: 'UTC',
    files: [],
    sources,
    predictions: new Map(),
    predictedAt: null,
    removed: new Map(),
    merged: new Map(),
  }
}

const now = '2026-11-20T12:00:00Z'
const program = (keys: Record<string, unknown>) =>
  parse(
    programWith({
      timezone: 'UTC',
      sources: { events: { file: 'events.csv' }, customers: { file: 'customers.csv' } },
      outcomes: { churn: { event: 'cancel' } },
      ...keys,
    }),
  )
const found = (keys: Record<string, unknown>, lake: LakeState) =>
  findProblems(program(keys), lake, now).map(({ level, words }) => `${level}: ${words}`)

describe('a type that the program names', () => {
  it('is no problem where it occurs', () => {
    expect(found({}, lakeOf(['cancel', 'login']))).toEqual([])
  })

  it('is a warning where it never occurs, wherever it is named', () => {
    const keys = { meaning: { asked: 'survey' }, value: { annual_value: { sum_of: ['purchase'] } } }
    expect(found(keys, lakeOf(['cancel']))).toEqual([
      'warning: meaning.asked names survey, which no source supplies. Found: cancel.',
      'warning: value.annual_value.sum_of names purchase, which no source supplies. Found: cancel.',
    ])
  })

  it('is an error where a type that occurs is spelled nearly so', () => {
    const error = 'error: outcomes.churn names cancel, which no source supplies. Is it'
    expect(found({}, lakeOf(['Cancel']))).toEqual([`${error} Cancel?`])
    expect(found({}, lakeOf(['cancels', 'login']))).toEqual([`${error} cancels?`])
  })

  it('is no misspelling of another type that the program names', () => {
    const outcomes = { churn: { event: ['plan_a', 'plan_b'] } }
    expect(found({ outcomes }, lakeOf(['plan_a']))).toEqual([
      'warning: outcomes.churn names plan_b, which no source supplies. Found: plan_a.',
    ])
  })

  it('is not found among metrics', () => {
    expect(found({ outcomes: { churn: { event: 'nps' } } }, lakeOf(['login']))).toHaveLength(1)
  })
})

describe('other problems', () => {
  it('are a column of value that no customer has', () => {
    const value = { annual_value: { column: 'revenue_2025' } }
    const lake = (...attributes: string[]) => lakeOf(['cancel'], { attributes })
    expect(found({ value }, lake('revenue_2025'))).toEqual([])
    expect(found({ value }, lake('revenue-2025'))).toEqual([
      'error: value.annual_value.column names revenue_2025, which no source of customers has. Is it revenue-2025?',
    ])
    expect(found({ value }, lake('plan'))).toEqual([
      'error: value.annual_value.column names revenue_2025, which no source of customers has. Found: plan.',
    ])
  })

  it('are plans of initiatives that nobody was in', () => {
    const sources = { events: { file: 'e.csv' }, interventions: { file: 'i.csv' } }
    const keys = { sources, initiatives: { call: { randomised: true } } }
    const lake = (...initiatives: string[]) => lakeOf(['cancel'], { initiatives })
    const words = 'initiatives names call, which no source of interventions supplies.'
    expect(found(keys, lake('call'))).toEqual([])
    expect(found(keys, lake('calls'))).toEqual([`error: ${words} Is it calls?`])
    expect(found(keys, lake('mail'))).toEqual([`warning: ${words} Found: mail.`])
  })

  it('are days that have not come yet', () => {
    expect(found({}, lakeOf(['cancel'], { lastDay: '2026-11-20' }))).toEqual([])
    expect(found({}, lakeOf(['cancel'], { lastDay: '2026-11-21' }))).toEqual([
      expect.stringMatching(/^warning: The last day with data, 2026-11-21, lies after today, 2026-11-20\./),
    ])
  })
})
