// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of program files look like this
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import type { Environment } from '../../src/domain/environment.ts'
import { message, parse, programWith, refusal, sample } from './program-texts.ts'

describe("the design's sample program", () => {
  it('becomes a program', () => {
    const { sources, ...rest } = parse(sample)
    expect(rest).toEqual({
      name: 'online-retail',
      population: 'customer',
      schedule: null,
      currency: 'GBP',
      timezone: 'Europe/London',
      horizonsDays: [30, 60, 90],
      outcomes: [
        { name: 'churn', kind: 'absence', eventTypes: ['purchase'], isDesired: false, isTerminal: false },
        { name: 'upsell', kind: 'event', eventTypes: ['upgrade'], isDesired: true, isTerminal: false },
        {
          name: 'advocacy',
          kind: 'event',
          eventTypes: ['referral', 'review'],
          isDesired: true,
          isTerminal: false,
        },
      ],
      activeWithinDays: 365,
      meaning: {
        usage: ['login'],
        contact: ['ticket'],
        feedback: ['feature_request'],
        asked: ['survey_sent'],
      },
      value: {
        annualValue: { sumOf: ['purchase'], days: 365 },
        margin: 0.35,
        gains: { upsell: 120, advocacy: 80 },
        contactCost: 4.5,
        discountRate: 0.08,
      },
      initiatives: {},
      acceptLeaks: [],
      inbound: {},
      folder: '/home',
    })
    expect(sources.events[1]).toMatchObject({
      key: 'events[1]',
      table: 'events',
      sql: null,
      file: 'clicks/*.parquet',
      columns: { customer_id: 'user', at: 'ts', type: 'name' },
      coversUntil: '2026-11-20',
      isFullPicture: false,
    })
    expect(sources.events[0]!.sql).toContain("read_csv('online_retail.csv.gz')")
    expect(sources.customers).toMatchObject([
      { key: 'customers[0]', file: 'customers.csv', isFullPicture: true },
    ])
    expect(sources.interventions).toEqual([])
  })

  it('is the same program written as JSON', () => {
    expect(parse(JSON.stringify(parseYaml(sample)))).toEqual(parse(sample))
  })
})

describe('what is left out', () => {
  it('has a default or is null, never a guess', () => {
    const program = parse(programWith({}))
    expect(program).toMatchObject({
      population: 'customer',
      currency: 'EUR',
      timezone: 'UTC',
      horizonsDays: [30, 60, 90],
      activeWithinDays: null,
      meaning: { usage: [], contact: [], feedback: [], asked: [] },
      value: { annualValue: null, margin: null, gains: {}, contactCost: null, discountRate: null },
      initiatives: {},
      acceptLeaks: [],
      inbound: {},
    })
  })

  it('makes an outcome terminal only where it is an event called churn', () => {
    const outcomes = {
      churn: { event: 'cancel' },
      upsell: { event: 'upgrade' },
      death: { event: 'died', terminal: true },
    }
    expect(parse(programWith({ outcomes })).outcomes.map(({ isTerminal }) => isTerminal)).toEqual([
      true,
      false,
      true,
    ])
    expect(parse(programWith({ outcomes: { churn: { absence_of: 'visit' } } })).outcomes[0]!.isTerminal).toBe(
      false,
    )
    const stays = { churn: { event: 'cancel', terminal: false } }
    expect(parse(programWith({ outcomes: stays })).outcomes[0]!.isTerminal).toBe(false)
  })

  it('may be the outcomes where there are responses', () => {
    const text = programWith({ outcomes: undefined, sources: { responses: { file: 'answers.csv' } } })
    expect(parse(text).outcomes).toEqual([])
  })

  it('may be the days of an annual value', () => {
    expect(parse(programWith({ value: { annual_value: { sum_of: 'buy' } } })).value.annualValue).toEqual({
      sumOf: ['buy'],
      days: 365,
    })
  })
})

it('horizons are ascending, whatever their order in the file', () => {
  expect(parse(programWith({ horizons_days: [90, 7, 30] })).horizonsDays).toEqual([7, 30, 90])
})

it('accept_leaks lists features and attributes', () => {
  expect(parse(programWith({ accept_leaks: ['plan'] })).acceptLeaks).toEqual(['plan'])
})

describe('the environment', () => {
  const withMargin = (margin: string) => `${programWith({})}value:\n  margin: ${margin}\n`

  it('gives numbers, days and text', () => {
    const text = `
program: \${NAME}
sources:
  events:
    - file: \${FOLDER}/\${NAME}.csv
      covers_until: \${UNTIL}
      replace: \${REPLACE}
    - sql: select * from read_csv('\${FOLDER}/x.csv') where shop = '\${SHOP:-main}'
outcomes: { churn: { event: cancel } }
`
    const { name, sources } = parse(text, {
      NAME: 'shop',
      FOLDER: '/data',
      UNTIL: '2026-11-20',
      REPLACE: 'true',
    })
    expect(name).toBe('shop')
    expect(sources.events[0]).toMatchObject({
      file: '/data/shop.csv',
      coversUntil: '2026-11-20',
      isFullPicture: true,
    })
    expect(sources.events[1]!.sql).toBe("select * from read_csv('/data/x.csv') where shop = 'main'")
  })

  it('gives way to the default where a variable is unset or empty', () => {
    expect(parse(withMargin('${MARGIN:-0.3}')).value.margin).toBe(0.3)
    expect(parse(withMargin('${MARGIN:-0.3}'), { MARGIN: '' }).value.margin).toBe(0.3)
    expect(parse(withMargin('${MARGIN:-0.3}'), { MARGIN: '0.5' }).value.margin).toBe(0.5)
  })

  it('leaves text in quotes text', () => {
    expect(message(withMargin('"${MARGIN}"'), { MARGIN: '0.5' })).toContain('value.margin: found "0.5"')
  })

  it('never becomes structure, whatever a variable holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('{a: b}', '[1]', 'x: y', '\n  z: 1', '*a', '&a b', '# c')),
        (value) => {
          const text = `${programWith({})}accept_leaks:\n  - a \${X}\n  - "\${X}b"\n`
          expect(parse(text, { X: value }).acceptLeaks).toEqual([`a ${value}`.trim(), `${value}b`.trim()])
        },
      ),
    )
  })

  it.each(['{a: b}', '[1]', '*a', '# c', '"a"', '!b c', '~', 'null'])(
    'leaves the value %s as it is',
    (value) => {
      expect(parse(`${programWith({})}accept_leaks:\n  - \${X}\n`, { X: value }).acceptLeaks).toEqual([value])
    },
  )

  it('is not asked where $${ stands for the text ${', () => {
    expect(parse(programWith({ accept_leaks: ['$${X}'] })).acceptLeaks).toEqual(['${X}'])
  })

  it('names each variable that is not set, and where it is needed', () => {
    const error = refusal(programWith({ sources: { events: [{ file: '${A}/${B}.csv' }] } }))
    expect(error).toMatchObject({ kind: 'usage', code: 'program-environment' })
    expect(error.message).toContain('line 4, sources.events[0].file: the environment variable A is not set')
    expect(error.message).toContain('variable B is not set. Set it, or give a default: ${B:-default}.')
  })

  it('refuses what is no reference', () => {
    expect(message(programWith({ accept_leaks: ['${a-b}'] }))).toContain(
      'accept_leaks[0]: found ${ without a name',
    )
  })
})

describe("a source's meaning", () => {
  const meaningOf = (source: object, environment: Environment = {}) =>
    parse(programWith({ sources: { events: source } }), environment).sources.events[0]!.meaning

  it.each([
    ['another file', { file: 'a.csv' }, { file: 'b/*.parquet' }],
    [
      'a later day',
      { file: 'a.csv', covers_until: '2026-01-01' },
      { file: 'a.csv', covers_until: '2026-01-02' },
    ],
    [
      'another order of columns',
      { file: 'a', columns: { at: 'x', type: 'y' } },
      { file: 'a', columns: { type: 'y', at: 'x' } },
    ],
    ['another file in SQL', { sql: "from 'a.csv'" }, { sql: "from '/b.csv'" }],
  ])('is the same with %s', (_, one, other) => {
    expect(meaningOf(one)).toBe(meaningOf(other))
  })

  it.each([
    ['another mapping', { file: 'a.csv', columns: { at: 'x' } }, { file: 'a.csv', columns: { at: 'y' } }],
    ['another condition', { sql: "from 'a.csv' where b" }, { sql: "from 'a.csv' where c" }],
    ['SQL instead of a file', { file: 'a.csv' }, { sql: "from 'a.csv'" }],
  ])('is another with %s', (_, one, other) => {
    expect(meaningOf(one)).not.toBe(meaningOf(other))
  })

  it('does not depend on the environment', () => {
    const source = { sql: "select * from read_csv('${FILE}') where shop = '${SHOP}'" }
    expect(meaningOf(source, { FILE: 'a.csv', SHOP: 'x' })).toBe(
      meaningOf(source, { FILE: 'b.csv', SHOP: 'y' }),
    )
  })
})
