import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addDays } from '../src/domain/days.ts'
import { Database, quoteText } from '../src/lake/database.ts'
import { loyalcast } from './commands.ts'

/** A fixed day, so that figures repeat whenever the measurement is made. */
export const lastDay = '2026-10-31'
/** Of the customers who join within 400 days, so many are at risk on the last one. */
const stayingShare = 0.747

export interface DailyCompany {
  /** Program file whose events have arrived up to the day before the last. */
  readonly path: string
  /** The common options of commands. */
  readonly folders: readonly string[]
  readonly dataFolder: string
}

/** A simulated company of about so many customers at risk, whose last day of events has not arrived yet. */
export async function makeDailyCompany(
  work: string,
  { customers, days }: { customers: number; days: number },
): Promise<DailyCompany> {
  const company = join(work, `company-${customers}-${days}`)
  const dataFolder = join(work, 'data')
  const folders = ['--data', dataFolder, '--models', join(work, 'models'), '--seed', '1']
  const path = join(company, 'arriving.yaml')
  if (!existsSync(path)) {
    const size = ['--customers', String(Math.ceil(customers / stayingShare)), '--days', String(days)]
    await loyalcast(['simulate', company, ...size, '--last-day', lastDay, ...folders], {})
    await splitLastDay(company)
    const text = await readFile(join(company, 'program.yaml'), 'utf8')
    await writeFile(
      path,
      text
        .replace('events/*.parquet', 'arrived/*.parquet')
        .replace(/^program: .*/m, `program: daily-${customers}-${days}`),
    )
  }
  return { path, folders, dataFolder }
}

/** The events of the last day in a file of its own. */
async function splitLastDay(company: string): Promise<void> {
  const database = await Database.open({ spillFolder: join(company, 'spill'), timezone: 'UTC' })
  const copy = (select: string, file: string) =>
    database.run(`copy (${select}) to ${quoteText(file)} (format parquet, compression zstd)`)
  const midnight = `timestamp ${quoteText(lastDay)}`
  try {
    await mkdir(join(company, 'arrived'), { recursive: true })
    for (const name of await readdir(join(company, 'events'))) {
      const source = quoteText(join(company, 'events', name))
      await copy(`select * from ${source} where "at" < ${midnight}`, join(company, 'arrived', name))
    }
    const all = quoteText(join(company, 'events', '*.parquet'))
    await copy(`select * from ${all} where "at" >= ${midnight}`, join(company, 'last-day.parquet'))
  } finally {
    database.close()
  }
}

/** The last day's events arrive. */
export async function letLastDayArrive({ path }: DailyCompany): Promise<void> {
  const company = join(path, '..')
  await copyFile(join(company, 'last-day.parquet'), join(company, 'arrived', 'z-last-day.parquet'))
}

/** The day up to which everything arrived first. */
export const dayBefore = addDays(lastDay, -1)
