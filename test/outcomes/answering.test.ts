import { describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/days.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { selectInvitations, selectWhoAnswers } from '../../src/outcomes/answering.ts'
import { readDataset } from '../../training/dataset.ts'
import { makeWorld, type World } from '../features/world.ts'
import type { FileRow } from '../programs.ts'

const sources = 'sources: { events: { file: events.csv }, responses: { file: responses.csv } }'
const answer = (customer_id: string, at: string, more: FileRow = {}) => ({
  ...{ customer_id, at, metric: 'nps', score: 9, weight: 1 },
  ...more,
})
const invitation = (customer_id: string, at: string) => ({ customer_id, at, type: 'survey' })
const world = (events: readonly FileRow[], responses: readonly FileRow[], more = '') =>
  makeWorld({ files: { 'events.csv': events, 'responses.csv': responses }, yaml: `${sources}\n${more}` })

const invitations = ({ database, lake }: World, asOf: string) =>
  database.rows(`
    select customer_id, cutoff::varchar as cutoff, has_answered
    from (${selectInvitations(lakeRelations(lake), ['survey'], asOf)}) order by all`)

describe('an invitation', () => {
  const events = [
    invitation('early', '2024-03-01 09:00'),
    invitation('late', '2024-03-01 09:00'),
    invitation('same day', '2024-03-01 09:00'),
    invitation('same day', '2024-03-01 12:00'),
    invitation('silent', '2024-03-01 09:00'),
    invitation('silent', '2024-03-20'),
  ]
  const responses = [
    answer('early', '2024-03-15 23:00'),
    answer('late', '2024-03-16'),
    answer('same day', '2024-03-01 18:00'),
    answer('silent', '2024-02-28'),
    answer('silent', '2024-03-05', { metric: 'csat', score: 5 }),
  ]

  it('was answered where an NPS answer came within 14 days, and is known by what was known the day before', async () => {
    expect(await invitations(await world(events, responses), '2024-03-31')).toEqual([
      { customer_id: 'early', cutoff: '2024-02-29', has_answered: true },
      { customer_id: 'late', cutoff: '2024-02-29', has_answered: false },
      { customer_id: 'same day', cutoff: '2024-02-29', has_answered: true },
      { customer_id: 'silent', cutoff: '2024-02-29', has_answered: false },
    ])
  })

  it('does not count before its 14 days are over', async () => {
    const made = await world(events, responses)
    expect(await invitations(made, '2024-03-14')).toEqual([])
    expect(await invitations(made, '2024-03-15')).toHaveLength(4)
  })
})

describe('a customer at a cutoff', () => {
  it('answers where an answer came within the next 30 days, with the weight that the survey gave it', async () => {
    const made = await world(
      [invitation('a', '2024-01-01')],
      [
        answer('a', '2024-03-31', { weight: 2.5 }),
        answer('b', '2024-04-01', { weight: 0.5 }),
        answer('c', '2024-03-01'),
      ],
    )
    const candidates = "(select unnest(['a', 'b', 'c']) as customer_id, date '2024-03-01' as cutoff)"
    const select = (asOf: string) => selectWhoAnswers(lakeRelations(made.lake), candidates, asOf)
    const rows = await made.database.rows(
      `select customer_id, has_answered, survey_weight from (${select('2024-03-31')}) order by all`,
    )
    expect(rows.map(({ customer_id, has_answered }) => [customer_id, has_answered])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
    ])
    expect(rows[0].survey_weight).toBe(2.5)
    expect(await made.database.rows(select('2024-03-30'))).toEqual([])
  })
})

describe('what a dataset knows of who answers', () => {
  const ids = Array.from({ length: 40 }, (_, index) => `c${index}`)
  const looks = ids.flatMap((customer_id) =>
    Array.from({ length: 20 }, (_, index) => ({
      customer_id,
      at: addDays('2024-01-01', 15 * index),
      type: 'look',
    })),
  )
  const invited = ids.flatMap((id) => ['2024-04-01', '2024-07-01'].map((day) => invitation(id, day)))
  const answers = ids.slice(0, 10).map((id) => answer(id, '2024-04-03'))
  const read = async (made: World) => {
    const { program, lake, database } = made
    const options = { program, lake, asOf: '2024-10-01', excluded: new Set<string>(), maxRows: 10_000 }
    return (await readDataset(database, options)).responding!
  }
  const count = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0)

  it('are invitations where they are declared, without their own traces', async () => {
    const made = await world([...looks, ...invited], answers, 'meaning: { asked: [survey] }')
    const { kind, hasAnswered, frame, weight } = await read(made)
    expect([kind, hasAnswered.length, count(hasAnswered)]).toEqual(['invitations', 80, 10])
    expect(new Set(weight)).toEqual(new Set([1]))
    const names = frame.features.map(({ name }) => name)
    expect(names.some((name) => name.startsWith('survey'))).toBe(false)
    expect(names.some((name) => name.startsWith('look'))).toBe(true)
    for (const column of frame.columns) expect(column).toHaveLength(80)
  })

  it('is everybody at every cutoff where they are not, or hardly any answer followed one', async () => {
    const undeclared = await read(await world([...looks, ...invited], answers))
    expect(undeclared.kind).toBe('customers')
    expect(count(undeclared.hasAnswered)).toBeGreaterThan(0)
    const elsewhere = ids.slice(0, 10).map((id) => answer(id, '2024-05-20'))
    const strays = await read(
      await world([...looks, ...invited], [...elsewhere, answers[0]], 'meaning: { asked: [survey] }'),
    )
    expect(strays.kind).toBe('customers')
  })
})
