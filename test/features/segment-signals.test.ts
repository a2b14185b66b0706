import { describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/days.ts'
import { segmentOf } from '../../src/domain/segment.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { readSegmentSignals } from '../../src/features/segment-signals.ts'
import type { FileRow } from '../programs.ts'
import { makeWorld, spineOf } from './world.ts'

const day = '2024-06-30'
const ago = (days: number) => addDays(day, -days)
const many = (customer: string, type: string, [days, times]: readonly [number, number]): FileRow[] =>
  Array.from({ length: times }, (_, hour) => ({
    customer_id: customer,
    at: `${ago(days)} ${10 + hour}:00`,
    type,
  }))

const oldAnswer = { customer_id: 'zoe', at: ago(300), metric: 'nps', score: 5 }

/** Which signals each customer has on the day. */
async function signalsOf(events: readonly FileRow[], responses: readonly FileRow[], meaning: string) {
  const world = await makeWorld({
    files: { 'events.csv': events, 'responses.csv': [...responses, oldAnswer] },
    yaml: `
sources: { events: { file: events.csv }, responses: { file: responses.csv } }
outcomes: { churn: { event: leave } }
${meaning}`,
  })
  const keys = await spineOf(world, [day])
  const { program, database, lake } = world
  const found = await readSegmentSignals(database, {
    program,
    relations: lakeRelations(lake),
    spine: 'spine',
  })
  const { zoe: _, ...signals } = Object.fromEntries(
    keys.map((key, row) => {
      const { isHeard, isEngaging, isFading } = found[row]
      const names = [isHeard && 'heard', isEngaging && 'engaging', isFading && 'fading']
      return [key.split('@')[0], names.filter(Boolean).join(' ')]
    }),
  )
  return signals
}

const meaning = 'meaning: { usage: login, contact: ticket, feedback: idea }'

describe('segment signals', () => {
  it('hear answers, contact and feedback of the last 90 days', async () => {
    const events = [
      ...many('ticket', 'ticket', [89, 1]),
      ...many('late', 'ticket', [90, 1]),
      ...many('idea', 'idea', [40, 1]),
      ...many('quiet', 'look', [1, 1]),
      ...many('answer', 'look', [1, 1]),
      ...many('start', 'login', [120, 1]),
    ]
    const answers = [
      { customer_id: 'answer', at: ago(89), metric: 'csat', score: 3 },
      { customer_id: 'quiet', at: ago(90), metric: 'nps', score: 3 },
    ]
    expect(await signalsOf(events, answers, meaning)).toEqual({
      answer: 'heard',
      idea: 'heard',
      late: '',
      quiet: '',
      start: '',
      ticket: 'heard',
    })
  })

  it('compare usage of 30 days with the 30 before; feedback counts as engaging', async () => {
    const events = [
      ...many('rise', 'login', [29, 3]),
      ...many('rise', 'login', [30, 2]),
      ...many('same', 'login', [0, 2]),
      ...many('same', 'login', [59, 2]),
      ...many('fade', 'login', [1, 6]),
      ...many('fade', 'login', [40, 9]),
      ...many('edge', 'login', [1, 7]),
      ...many('edge', 'login', [40, 10]),
      ...many('busy', 'login', [40, 1]),
      ...many('busy', 'look', [1, 9]),
      ...many('idea', 'idea', [29, 1]),
      ...many('start', 'login', [60, 1]),
    ]
    expect(await signalsOf(events, [], meaning)).toEqual({
      rise: 'engaging',
      same: '',
      fade: 'fading',
      edge: '',
      busy: 'fading',
      idea: 'heard engaging',
      start: '',
    })
  })

  it('judge fading by all activity where no usage is configured, and nothing by it as rising', async () => {
    const events = [
      ...many('fade', 'look', [1, 1]),
      ...many('fade', 'login', [40, 2]),
      ...many('rise', 'look', [1, 5]),
      ...many('start', 'login', [60, 1]),
    ]
    expect(await signalsOf(events, [], '')).toEqual({ fade: 'fading', rise: '', start: '' })
  })

  it('compare nothing where the data do not reach back 60 days', async () => {
    const events = [...many('a', 'login', [1, 5]), ...many('b', 'login', [58, 5])]
    expect(await signalsOf(events, [], meaning)).toEqual({ a: '', b: '' })
  })
})

describe('segments', () => {
  const signals = { isHeard: false, isEngaging: true, isFading: true }
  it('follow the likeliest answer', () => {
    expect(segmentOf('detractor', signals, true)).toBe('silent-detractors')
    expect(segmentOf('detractor', { ...signals, isHeard: true }, true)).toBeNull()
    expect(segmentOf('promoter', signals, true)).toBe('expansion-promoters')
    expect(segmentOf('promoter', signals, false)).toBeNull()
    expect(segmentOf('promoter', { ...signals, isEngaging: false }, true)).toBeNull()
    expect(segmentOf('passive', signals, false)).toBe('at-risk-passives')
    expect(segmentOf('passive', { ...signals, isFading: false }, false)).toBeNull()
    expect(segmentOf(null, signals, true)).toBeNull()
  })
})
