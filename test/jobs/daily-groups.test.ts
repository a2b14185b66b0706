import { cp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/days.ts'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { openLake } from '../../src/lake/lake.ts'
import { train } from '../../training/train.ts'
import { makeLastingProgram, queryRows } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

const settings = {
  now: '2025-03-01T00:00:00Z',
  seed: 1,
  maxRows: 2000,
  reporter: silentReporter,
  // Bucket by bucket, as a lake of millions of rows.
  rowsAtOnce: 0,
}
const dates = ['2025-02-18', '2025-02-19', '2025-02-20'] as const
const patience = 600_000

type Made = Awaited<ReturnType<typeof makeLastingProgram>>

/** Events in one file a day from some day on, so that they come day by day. */
function dayByDay(): { files: Record<string, string>; later: Record<string, string>; yaml: string } {
  const { files, yaml } = smallCompany({ customers: 150 })
  const [header, ...lines] = files['events.csv'].trim().split('\n')
  const dayOf = (line: string) => line.split(',')[1].slice(0, 10)
  const text = (own: readonly string[]) => `${[header, ...own].join('\n')}\n`
  const early = lines.filter((line) => dayOf(line) <= dates[0])
  const later = Object.fromEntries(
    dates.slice(1).map((date) => [date, text(lines.filter((line) => dayOf(line) === date))]),
  )
  return {
    files: { ...files, 'events.csv': '', 'events/first.csv': text(early) },
    later,
    yaml: yaml.replace('events.csv', 'events/*.csv'),
  }
}

describe('a large lake, day by day', () => {
  let made: Made
  beforeAll(async () => {
    const { files, yaml } = dayByDay()
    made = await makeLastingProgram({ files, yaml })
    await ingest(made.program, { ...settings, ...made })
    await train(made.program, { ...settings, ...made, asOf: '2025-01-20' })
  }, patience)
  afterAll(() => made.remove())

  const predict = async (date: string): Promise<Buffer> => {
    await predictDay(made.program, { ...settings, ...made, date })
    const lake = await openLake(made.dataFolder, made.program)
    return readFile(join(lake.folder, lake.state.predictions.get(date)?.path ?? ''))
  }
  const lakeFolder = () => join(made.dataFolder, made.program.name)

  it(
    'is predicted from what was kept, and late events, as from all events',
    async () => {
      await predict(dates[0])
      const { later } = dayByDay()
      for (const date of dates.slice(1)) {
        await made.write(`events/${date}.csv`, later[date])
        // Late by weeks, and of a customer whom the kept rows know.
        await made.write(
          `events/late-${date}.csv`,
          `customer_id,at,type,value,minutes\nc1,2025-01-05T10:00:00,login,,33\nc2,2025-02-10T11:00:00,ticket,,\n`,
        )
        await ingest(made.program, { ...settings, ...made })
        const carried = await predict(date)
        await rm(join(lakeFolder(), 'kept'), { recursive: true })
        expect((await predict(date)).equals(carried)).toBe(true)
      }
      // The last one left what the next day goes on from, and nothing of the run itself.
      expect(await readdir(join(lakeFolder(), 'kept'))).toHaveLength(1)
      expect(await readdir(join(lakeFolder(), 'runs'))).toEqual([])
    },
    patience,
  )

  it(
    'is predicted alike from what was kept of later days, and from kept files that are broken',
    async () => {
      const first = await predict(dates[1])
      expect((await predict(dates[1])).equals(first)).toBe(true)
      const kept = join(lakeFolder(), 'kept')
      const notes = (await readdir(kept, { recursive: true })).filter((name) => name.endsWith('note.json'))
      expect(notes.length).toBeGreaterThan(1)
      await rm(join(kept, notes[0]))
      expect((await predict(dates[1])).equals(first)).toBe(true)
    },
    patience,
  )

  it(
    'is predicted alike, and from what was kept, after its small files were merged',
    async () => {
      const ingestEvent = async (day: string) => {
        await made.write(`events/${day}-c1.csv`, `customer_id,at,type\nc1,${day}T11:00:00,login\n`)
        await ingest(made.program, { ...settings, ...made })
      }
      for (let day = 1; day <= 16; day++) await ingestEvent(addDays('2025-01-31', day))
      const before = await predict(dates[2])
      const countMerged = async () => (await openLake(made.dataFolder, made.program)).state.merged.size
      expect(await countMerged()).toBe(0)
      await ingestEvent('2025-02-25')
      expect(await countMerged()).toBe(1)
      const kept = join(lakeFolder(), 'kept')
      await cp(kept, `${kept}-before`, { recursive: true })
      expect((await predict(dates[2])).equals(before)).toBe(true)
      await rm(kept, { recursive: true })
      expect((await predict(dates[2])).equals(before)).toBe(true)
      // Were it not from what was kept, it would not matter what that says.
      await rm(kept, { recursive: true })
      await rename(`${kept}-before`, kept)
      for (const name of await readdir(kept, { recursive: true }))
        if (name.endsWith('-events_by_type.parquet')) await emptyOut(join(kept, name))
      const { state } = await openLake(made.dataFolder, made.program)
      const bucket = state.files.find(({ path }) => state.merged.has(path))?.bucket
      const isOfBucket = `(md5_number_lower(customer_id) % ${state.buckets}) = ${bucket}`
      const rowsOf = async (file: Buffer) => {
        await made.write('compared.parquet', file)
        return queryRows(`from '${join(made.folder, 'compared.parquet')}' where ${isOfBucket}`)
      }
      expect(await rowsOf(await predict(dates[2]))).not.toEqual(await rowsOf(before))
    },
    patience,
  )
})

async function emptyOut(path: string): Promise<void> {
  await queryRows(`copy (from '${path}' where false) to '${path}.tmp' (format parquet)`)
  await rename(`${path}.tmp`, path)
}
