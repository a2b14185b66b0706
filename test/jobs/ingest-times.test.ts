import { describe, expect, it } from 'vitest'
import { ingestMade, queryLake } from '../lakes.ts'
import { makeProgram } from '../programs.ts'

const yaml = (file: string) => `
timezone: Europe/Berlin
sources: { events: { file: ${file} } }
outcomes: { churn: { absence_of: login } }`

/** The instants (UTC) and local days that the lake made of times, in order. */
async function readTimes(times: readonly string[]): Promise<(readonly [string, string])[]> {
  const rows = times.map((at, index) => ({ customer_id: 'a', at, type: 'login', event_id: index }))
  const made = await makeProgram({ files: { 'events.csv': rows }, yaml: yaml('events.csv') })
  await ingestMade(made)
  return readMade(made)
}

async function readMade(made: Parameters<typeof queryLake>[0]): Promise<(readonly [string, string])[]> {
  const found = await queryLake<{ at: string; day: string }>(
    made,
    'events',
    `select strftime("at" at time zone 'UTC', '%Y-%m-%d %H:%M:%S') as at, day::varchar as day from rows order by event_id::integer`,
  )
  return found.map(({ at, day }) => [at, day])
}

describe('a time', () => {
  it('with a zone is that instant, and its day is the local one', async () => {
    expect(
      await readTimes([
        '2026-07-01T23:30:00Z',
        '2026-07-01T23:30:00.250Z',
        '2026-07-01T23:30:00z',
        '2026-07-01T23:30Z',
        '2026-07-01 23:30:00+02:00',
        '2026-07-01T23:30:00+0200',
        '2026-07-01T23:30:00-05',
        '2026-07-01 23:30:00 UTC',
        '2026-07-01 23:30:00 America/New_York',
      ]),
    ).toEqual([
      ['2026-07-01 23:30:00', '2026-07-02'],
      ['2026-07-01 23:30:00', '2026-07-02'],
      ['2026-07-01 23:30:00', '2026-07-02'],
      ['2026-07-01 23:30:00', '2026-07-02'],
      ['2026-07-01 21:30:00', '2026-07-01'],
      ['2026-07-01 21:30:00', '2026-07-01'],
      ['2026-07-02 04:30:00', '2026-07-02'],
      ['2026-07-01 23:30:00', '2026-07-02'],
      ['2026-07-02 03:30:00', '2026-07-02'],
    ])
  })

  it("without a zone is in the program's timezone, in summer and in winter and when the clocks change", async () => {
    expect(
      await readTimes([
        '2026-07-01 23:30:00',
        '2026-01-01T00:30',
        '2026-03-29 01:59:59',
        '2026-03-29 03:00:00',
        '2026-10-25 23:59:59',
        '2026-10-25 00:00:00',
      ]),
    ).toEqual([
      ['2026-07-01 21:30:00', '2026-07-01'],
      ['2025-12-31 23:30:00', '2026-01-01'],
      ['2026-03-29 00:59:59', '2026-03-29'],
      ['2026-03-29 01:00:00', '2026-03-29'],
      ['2026-10-25 22:59:59', '2026-10-25'],
      ['2026-10-24 22:00:00', '2026-10-25'],
    ])
  })

  it('that the clock skips or shows twice still falls on its day', async () => {
    const times = await readTimes(['2026-03-29 02:30:00', '2026-10-25 02:30:00'])
    expect(times.map(([, day]) => day)).toEqual(['2026-03-29', '2026-10-25'])
  })

  it('that is a date alone is the start of that day', async () => {
    expect(await readTimes(['2026-07-01', '2026-1-5'])).toEqual([
      ['2026-06-30 22:00:00', '2026-07-01'],
      ['2026-01-04 23:00:00', '2026-01-05'],
    ])
  })

  it('in a typed file keeps its meaning: with a zone, without one, a date', async () => {
    const select = (id: number, at: string) =>
      `select 'a' as customer_id, ${at} as at, 'login' as type, ${id} as event_id`
    const kinds = {
      zoned: ["timestamptz '2026-07-01 23:30:00+00'", ['2026-07-01 23:30:00', '2026-07-02']],
      local: ["timestamp '2026-07-01 23:30:00'", ['2026-07-01 21:30:00', '2026-07-01']],
      nanoseconds: ["timestamp_ns '2026-07-01 23:30:00'", ['2026-07-01 21:30:00', '2026-07-01']],
      date: ["date '2026-07-01'", ['2026-06-30 22:00:00', '2026-07-01']],
    } as const
    for (const [name, [at, expected]] of Object.entries(kinds)) {
      const file = `${name}.parquet`
      const made = await makeProgram({ files: { [file]: { select: select(0, at) } }, yaml: yaml(file) })
      await ingestMade(made)
      expect(await readMade(made), name).toEqual([expected])
    }
  })

  it('in JSON keeps its zone', async () => {
    const made = await makeProgram({
      files: {
        'events.ndjson': [
          { customer_id: '007', at: '2026-07-01T23:30:00+02:00', type: 'login', event_id: 0 },
          { customer_id: 7, at: '2026-07-01T23:30:00', type: 'login', event_id: 1 },
        ],
      },
      yaml: yaml('events.ndjson'),
    })
    await ingestMade(made)
    expect((await readMade(made)).map(([at]) => at)).toEqual(['2026-07-01 21:30:00', '2026-07-01 21:30:00'])
    const customers = await queryLake(made, 'events', 'select customer_id as id from rows order by event_id')
    expect(customers).toEqual([{ id: '007' }, { id: '7' }])
  })

  it.each(['csv', 'ndjson', 'parquet'])(
    'that is a number of seconds is refused with the way to convert it (%s)',
    async (format) => {
      const file = `events.${format}`
      const rows = [{ customer_id: 'a', at: 1_790_000_000, type: 'login' }]
      const made = await makeProgram({ files: { [file]: rows }, yaml: yaml(file) })
      await expect(ingestMade(made)).rejects.toMatchObject({
        kind: 'usage',
        message: expect.stringMatching(/^sources\.events\[0\]: .*to_timestamp\(/),
      })
    },
  )

  it('in a format of its own everywhere is refused with an example and the way to convert it', async () => {
    const rows = [{ customer_id: 'a', at: '31/12/2025', type: 'login' }]
    const made = await makeProgram({ files: { 'events.csv': rows }, yaml: yaml('events.csv') })
    await expect(ingestMade(made)).rejects.toMatchObject({
      code: 'bad-time',
      message: expect.stringMatching(/31\/12\/2025.*strptime/),
    })
  })
})

describe('observed_until', () => {
  it('includes its day where it is a date, and leaves out the day in which it is a time', async () => {
    const ends = ['2026-10-25', '2026-10-25 00:00:00', '2026-10-25 18:00:00', '2026-10-24T22:00:00Z', '']
    const made = await makeProgram({
      files: {
        'customers.csv': ends.map((observed_until, index) => ({ customer_id: `c${index}`, observed_until })),
        'answers.csv': [{ customer_id: 'c0', at: '2026-10-01', metric: 'nps', score: 9 }],
      },
      yaml: 'sources: { customers: { file: customers.csv }, responses: { file: answers.csv } }',
    })
    await ingestMade(made)
    const found = await queryLake<{ day: string }>(
      made,
      'customers',
      'select observed_until::varchar as day from rows order by customer_id',
    )
    expect(found.map(({ day }) => day)).toEqual([
      '2026-10-25',
      '2026-10-25',
      '2026-10-24',
      '2026-10-25',
      null,
    ])
  })
})
