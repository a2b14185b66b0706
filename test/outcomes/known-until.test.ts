import { describe, expect, it } from 'vitest'
import type { Outcome, Program, Source } from '../../src/domain/program.ts'
import type { LakeState, SourceReading } from '../../src/lake/commits.ts'
import { knownFrom, knownUntil } from '../../src/outcomes/known-until.ts'

type Spans = Readonly<Record<string, readonly [first: string, last: string]>>

/** A program with one source of events for each, and what the lake says of them. */
function sources(...list: { spans: Spans; coversUntil?: string }[]): { program: Program; state: LakeState } {
  const events = list.map(
    ({ coversUntil }, index) => ({ key: `events[${index}]`, coversUntil: coversUntil ?? null }) as Source,
  )
  const readings = list.map(({ spans }, index): [string, SourceReading] => [
    `events[${index}]`,
    {
      key: `events[${index}]`,
      table: 'events',
      spans: Object.fromEntries(
        Object.entries(spans).map(([part, [firstDay, lastDay]]) => [part, { rows: 1, firstDay, lastDay }]),
      ),
    } as unknown as SourceReading,
  ])
  return {
    program: { sources: { events, customers: [], responses: [], interventions: [] } } as unknown as Program,
    state: { sources: new Map(readings) } as unknown as LakeState,
  }
}

const until = (list: Parameters<typeof sources>, types: readonly string[]) => {
  const { program, state } = sources(...list)
  return knownUntil(program, state, types)
}

describe('an outcome is known until', () => {
  it('the last row of any type of the source that supplies it', () => {
    expect(
      until(
        [{ spans: { leave: ['2024-01-01', '2024-02-01'], look: ['2024-01-01', '2024-05-01'] } }],
        ['leave'],
      ),
    ).toBe('2024-05-01')
  })
  it('what the source declares to cover, earlier or later than its rows', () => {
    const spans: Spans = { leave: ['2024-01-01', '2024-05-01'] }
    expect(until([{ spans, coversUntil: '2024-06-30' }], ['leave'])).toBe('2024-06-30')
    expect(until([{ spans, coversUntil: '2024-04-30' }], ['leave'])).toBe('2024-04-30')
  })
  it('the first end of several sources that run side by side; others do not matter', () => {
    const list = [
      { spans: { buy: ['2024-01-01', '2024-05-01'] } as Spans },
      { spans: { buy: ['2024-02-01', '2024-04-01'] } as Spans },
      { spans: { look: ['2024-01-01', '2024-01-02'] } as Spans },
    ]
    expect(until(list, ['buy'])).toBe('2024-04-01')
    expect(until(list, ['buy', 'look'])).toBe('2024-01-02')
  })
  it('the end of the later source where one continues another', () => {
    const list = [
      { spans: { buy: ['2023-01-01', '2023-12-31'] } as Spans },
      { spans: { buy: ['2024-01-01', '2024-05-01'] } as Spans },
    ]
    expect(until(list, ['buy'])).toBe('2024-05-01')
  })
  it('a declared day where it never happened, and nobody knows without one', () => {
    const spans: Spans = { look: ['2024-01-01', '2024-05-01'] }
    expect(until([{ spans }], ['leave'])).toBeNull()
    expect(until([{ spans, coversUntil: '2024-06-30' }], ['leave'])).toBe('2024-06-30')
    expect(until([{ spans }], ['constructor'])).toBeNull()
    expect(until([], ['leave'])).toBeNull()
  })
})

describe('rows sent through the API', () => {
  const withSent = (list: Parameters<typeof sources>, sent: Spans) => {
    const { program, state } = sources(...list)
    const [, api] = [...sources({ spans: sent }).state.sources][0]
    const all = new Map([...state.sources, ['events[api]', { ...api, key: 'events[api]' } as SourceReading]])
    return { program, state: { ...state, sources: all } as LakeState }
  }
  const buys: Spans = { buy: ['2024-01-01', '2024-05-01'] }
  const untilOf = (list: Parameters<typeof sources>, sent: Spans, types = ['buy']) => {
    const { program, state } = withSent(list, sent)
    return knownUntil(program, state, types)
  }

  it('tell by their last day what nothing else does', () => {
    expect(untilOf([], { buy: ['2024-01-01', '2024-03-01'], look: ['2024-02-01', '2024-04-01'] })).toBe(
      '2024-04-01',
    )
    expect(
      untilOf([{ spans: { look: ['2024-01-01', '2024-06-01'] } }], { buy: ['2024-01-01', '2024-03-01'] }),
    ).toBe('2024-03-01')
  })
  it('that come late, or are of few, do not shorten what a source knows, nor do they lengthen it', () => {
    expect(untilOf([{ spans: buys }], { buy: ['2024-01-01', '2024-02-01'] })).toBe('2024-05-01')
    expect(untilOf([{ spans: buys }], { buy: ['2024-01-01', '2024-07-01'] })).toBe('2024-05-01')
  })
  it('go on where the sources ended before they began', () => {
    expect(untilOf([{ spans: buys }], { buy: ['2024-05-02', '2024-07-01'] })).toBe('2024-07-01')
  })
  it('say from when an outcome is known where they are the only ones', () => {
    const { program, state } = withSent([], {
      buy: ['2024-03-01', '2024-05-01'],
      look: ['2024-02-01', '2024-05-01'],
    })
    const buy: Outcome = {
      name: 'buys',
      kind: 'event',
      eventTypes: ['buy'],
      isDesired: true,
      isTerminal: false,
    }
    expect(knownFrom({ ...program, outcomes: [buy] }, state, buy)).toBe('2024-02-01')
  })
})

describe('an outcome is known from', () => {
  const buys: Outcome = {
    name: 'buys',
    kind: 'event',
    eventTypes: ['buy'],
    isDesired: true,
    isTerminal: false,
  }
  const refers: Outcome = { ...buys, name: 'refers', eventTypes: ['refer'] }
  const from = (spans: Spans, outcome: Outcome, others: readonly Outcome[] = []) => {
    const { program, state } = sources({ spans })
    return knownFrom({ ...program, outcomes: [outcome, ...others] }, state, outcome)
  }

  it('the first row of its sources', () => {
    const spans: Spans = { buy: ['2024-03-01', '2024-05-01'], look: ['2024-02-01', '2024-05-01'] }
    expect(from(spans, buys)).toBe('2024-02-01')
  })
  it('a day nobody can tell where a source holds outcome events alone, of one outcome or several', () => {
    const spans: Spans = { buy: ['2024-03-01', '2024-05-01'] }
    expect(from(spans, buys)).toBeNull()
    expect(from(spans, { ...buys, kind: 'absence' })).toBe('2024-03-01')
    const both: Spans = { ...spans, refer: ['2024-02-01', '2024-02-01'] }
    expect(from(both, buys, [refers])).toBeNull()
    expect(from(both, buys)).toBe('2024-02-01')
  })
})
