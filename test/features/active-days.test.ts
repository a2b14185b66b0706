import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ActiveDays } from '../../src/features/active-days.ts'
import { Database } from '../../src/lake/database.ts'

let database: Database
beforeAll(async () => {
  database = await Database.open({ spillFolder: join(tmpdir(), 'active-days-test'), timezone: 'UTC' })
})
afterAll(() => database.close())

const ages = [0, 0, 1, 29, 30, 61, 62, 89, 90, 123, 124, 300]

describe('active days', () => {
  const days = new ActiveDays(301)
  const counted = async (sql: string) => {
    const seen = `select age, ${days.bit('age')} as bit, age % 2 as part from unnest([${ages.join(', ')}]) as seen (age)`
    const byPart = `select part, ${days.columns} from (${seen}) group by part`
    return database.rows(`select ${sql} as days from (${byPart} order by part)`)
  }

  it('are counted once each, of one row or of several together', async () => {
    expect(await counted(days.inRow)).toEqual([{ days: 6 }, { days: 5 }])
    expect(await counted(days.inAny('true'))).toEqual([{ days: 11 }])
    expect(await counted(days.inAny('part = 0'))).toEqual([{ days: 6 }])
    expect(await counted(days.inAny('false'))).toEqual([{ days: 0 }])
  })

  it('are counted within a window, whichever numbers it reaches into', async () => {
    expect(await counted(days.inAny('true', 30))).toEqual([{ days: 3 }])
    expect(await counted(days.inAny('true', 62))).toEqual([{ days: 5 }])
    expect(await counted(days.inAny('true', 90))).toEqual([{ days: 7 }])
  })

  it('take no more numbers than are allowed', () => {
    expect(days.words).toBe(5)
    expect(new ActiveDays(1).words).toBe(1)
    expect(new ActiveDays(100_000, 24).span).toBe(24 * 62)
  })
})
