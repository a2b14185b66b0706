// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of program files look like this
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { LoyalcastError } from '../../src/domain/errors.ts'
import { reservedKeys } from '../../src/domain/program-schema.ts'
import { message, parse, programWith, refusal } from './program-texts.ts'

describe('a text that is not YAML', () => {
  it.each([
    ['is broken', 'program: shop\nsources: [\n', 'program.yaml, line 3, column 1: not valid YAML.'],
    [
      'repeats a key',
      'program: a\nprogram: b\n',
      'line 2, column 1: not valid YAML. Map keys must be unique',
    ],
    ['names an unknown anchor', 'program: *a\n', 'line 1, column 10: not valid YAML. *a stands for nothing'],
    ['has a reference in braces', 'value: { margin: ${M} }', 'a reference must stand in quotes'],
  ])('is refused with its line where it %s', (_, text, expected) => {
    expect(refusal(text).code).toBe('program-syntax')
    expect(message(text)).toContain(expected)
  })

  it('may be empty or no map', () => {
    expect(message('')).toContain(
      'program.yaml, line 1: found nothing; allowed: a map with the keys program,',
    )
    expect(message('- a')).toContain('found ["a"]; allowed: a map with the keys')
  })
})

describe('a wrong value is refused with what was found and what is allowed', () => {
  const file = 'a.csv'
  it.each<[string, Record<string, unknown>, string]>([
    ['no name', { program: undefined }, 'program: missing. Add it: a name'],
    [
      'a name with capitals',
      { program: 'My_Shop' },
      'line 1, program: found "My_Shop"; allowed: small letters, digits and -',
    ],
    [
      'a name that is a number',
      { program: 7 },
      'program: found 7; allowed: a name, as text. Write it in quotes: "7".',
    ],
    [
      'a wrong population',
      { population: 'customers' },
      'population: found "customers". Did you mean customer? Allowed: customer, employee, partner.',
    ],
    [
      'a wrong currency',
      { currency: 'gbp' },
      'currency: found "gbp"; allowed: a currency code of ISO 4217, such as EUR or GBP. Did you mean GBP?',
    ],
    [
      'an hour that no day has',
      { schedule: '24:00' },
      'schedule: found "24:00"; allowed: a local time of day from "00:00" to "23:59", in quotes, such as "05:00".',
    ],
    ['an hour without minutes', { schedule: 5 }, 'schedule: found 5; allowed: a local time of day'],
    [
      'a misspelled timezone',
      { timezone: 'Europe/Londn' },
      'timezone: found "Europe/Londn"; allowed: a timezone of the IANA database, such as Europe/London. Did you mean Europe/London?',
    ],
    ['a city as timezone', { timezone: 'Auckland' }, 'Did you mean Pacific/Auckland?'],
    [
      'a horizon twice',
      { horizons_days: [30, 30] },
      'horizons_days: found [30,30]; allowed: a list of different whole numbers',
    ],
    [
      'half a day',
      { horizons_days: [30, 0.5] },
      'horizons_days[1]: found 0.5; allowed: a whole number of days from 1 to 366.',
    ],
    [
      'an unknown key',
      { outcome: {} },
      'outcome: not a known key. Did you mean outcomes? Allowed here: program, population,',
    ],
    [
      'an unknown source',
      { sources: { event: { file } } },
      'sources.event: not a known key. Did you mean events? Allowed here: events, customers,',
    ],
    [
      'an unknown key of a source',
      { sources: { events: [{ file, colums: {} }] } },
      'line 5, sources.events[0].colums: not a known key. Did you mean columns?',
    ],
    [
      'sql and file',
      { sources: { events: { file, sql: 'from x' } } },
      'sources.events: needs exactly one of sql and file; found both: remove one.',
    ],
    [
      'neither sql nor file',
      { sources: { events: [{}] } },
      'sources.events[0]: needs exactly one of sql and file; found neither: add one.',
    ],
    [
      'columns of SQL',
      { sources: { events: { sql: 'from x', columns: {} } } },
      'sources.events.columns: works only with file. Rename in the select',
    ],
    [
      'a source that is text',
      { sources: { events: file } },
      'sources.events: found "a.csv"; allowed: a map with sql or file, a list of such maps, or the word api.',
    ],
    [
      'no source in a list',
      { sources: { events: [] } },
      'sources.events: found []; allowed: a map with sql or file',
    ],
    [
      'a day that does not exist',
      { sources: { events: { file, covers_until: '2026-02-30' } } },
      'sources.events.covers_until: found "2026-02-30"; allowed: an existing day',
    ],
    [
      'replace: "yes"',
      { sources: { events: { file, replace: 'yes' } } },
      'sources.events.replace: found "yes"; allowed: true or false.',
    ],
    [
      'an outcome with capitals',
      { outcomes: { Churn: { event: 'x' } } },
      'outcomes.Churn: found "Churn"; allowed: a name of small letters',
    ],
    [
      'an outcome named like a column',
      { outcomes: { nps_score: { event: 'x' } } },
      'no column of the predictions',
    ],
    [
      'an outcome named like a value',
      { outcomes: { annual_value: { event: 'x' } } },
      'no column of the predictions',
    ],
    [
      'an outcome of both kinds',
      { outcomes: { churn: { event: 'x', absence_of: 'y' } } },
      'outcomes.churn: needs exactly one of absence_of and event; found both',
    ],
    [
      'an outcome without events',
      { outcomes: { churn: { event: [] } } },
      'outcomes.churn.event: found []; allowed: an event type or a list of them',
    ],
    [
      'an event type that is a number',
      { outcomes: { churn: { event: [404] } } },
      'outcomes.churn.event[0]: found 404; allowed: the name of an event type, as text. Write it in quotes: "404".',
    ],
    [
      'a terminal absence',
      { outcomes: { churn: { absence_of: 'x', terminal: true } } },
      'outcomes.churn.terminal: works only with event',
    ],
    [
      'an empty at_risk',
      { at_risk: null },
      'at_risk: found nothing; allowed: a map with the keys active_within_days. Fill it in or remove the key.',
    ],
    [
      'a percentage',
      { value: { margin: 35 } },
      'value.margin: found 35; allowed: a number from 0 to 1, such as 0.35 for 35%.',
    ],
    [
      'an amount as text',
      { value: { contact_cost: '4' } },
      'value.contact_cost: found "4"; allowed: an amount in the currency of the program, 0 or more, such as 4.5. Write it without quotes.',
    ],
    [
      'the value of an unknown outcome',
      { value: { chrn: 3 } },
      'value.chrn: not a known key. Did you mean churn? Allowed here: churn, annual_value,',
    ],
    [
      'an annual value of both kinds',
      { value: { annual_value: { sum_of: 'x', column: 'y' } } },
      'value.annual_value: needs exactly one of sum_of and column; found both',
    ],
    [
      'a leak that is no list',
      { accept_leaks: 'plan' },
      'accept_leaks: found "plan"; allowed: a list of names',
    ],
    [
      'sources of interventions alone',
      { sources: { interventions: { file: 'a.csv' } } },
      'sources: tells nothing about customers. Add events, customers or responses.',
    ],
    [
      'nothing to predict',
      { outcomes: undefined },
      'nothing to predict. Add outcomes, or survey answers as sources.responses.',
    ],
  ])('%s', (_, keys, expected) => {
    const error = refusal(programWith(keys))
    expect(error).toMatchObject({ kind: 'usage', code: 'program-invalid' })
    expect(error.message).toMatch(/^program\.yaml(, line \d+| has \d+ problems:\n- line \d+)/)
    expect(error.message).toContain(expected)
  })

  it.each(reservedKeys)('the reserved key %s', (key) => {
    expect(message(programWith({ [key]: {} }))).toContain(
      `${key}: reserved for a later version and not available yet. Remove it.`,
    )
  })
})

describe('what names event types needs events', () => {
  it.each<[string, Record<string, unknown>]>([
    ['outcomes.churn: names event types', {}],
    ['meaning.usage: names event types', { meaning: { usage: 'login' } }],
    ['at_risk.active_within_days: counts events', { at_risk: { active_within_days: 30 } }],
    ['value.annual_value.sum_of: adds up events', { value: { annual_value: { sum_of: 'buy' } } }],
  ])('%s', (expected, keys) => {
    const text = programWith({ sources: { customers: { file: 'a.csv' } }, ...keys })
    expect(message(text)).toContain(`${expected}, but there is no sources.events. Add it.`)
  })

  it('and a column of customers needs customers', () => {
    expect(message(programWith({ value: { annual_value: { column: 'worth' } } }))).toContain(
      'value.annual_value.column: is a column of customers, but there is no sources.customers. Add it.',
    )
  })
})

it('several problems are all listed, by line', () => {
  const lines = message(programWith({ program: 'Shop', timezone: 'Mars', value: { margin: 2 } })).split('\n')
  expect(lines).toHaveLength(4)
  expect(lines[0]).toBe('program.yaml has 3 problems:')
  expect(lines.slice(1).map((line) => line.slice(0, 8))).toEqual(['- line 1', '- line 8', '- line 1'])
})

it('the line of a problem behind an anchor is that of the anchor', () => {
  const text = `
program: shop
sources:
  events: &rows
    file: 3
  customers: *rows
outcomes: { churn: { event: cancel } }
`
  expect(message(text)).toContain('line 5, sources.customers.file: found 3')
})

it('any YAML is a program or a usage error, never another failure', () => {
  const keys = [
    'program',
    'sources',
    'events',
    'file',
    'sql',
    'outcomes',
    'churn',
    'event',
    'value',
    'margin',
    'x',
  ]
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>('a', 1, null, true, '${X}'),
      fc.array(tie('tree')),
      tie('map'),
    ),
    map: fc.dictionary(fc.constantFrom(...keys), tie('tree')),
  }))
  fc.assert(
    fc.property(tree, (data) => {
      try {
        parse(stringify(data), { X: '1' })
      } catch (error) {
        expect(error).toBeInstanceOf(LoyalcastError)
      }
    }),
  )
})
