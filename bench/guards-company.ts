import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addDays, type Day } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { silentReporter } from '../src/domain/progress.ts'
import { ingest } from '../src/jobs/ingest.ts'
import { readProgram } from '../src/lake/program-file.ts'

export type Cell = string | number | null
export type Row = Readonly<Record<string, Cell>>

/** A company that is made up: its program file and its CSV files. */
export interface MadeCompany {
  /** What sets it apart, in a few words. */
  readonly words: string
  readonly yaml: string
  /** Table → rows; without rows there is no file. */
  readonly tables: Readonly<Record<'events' | 'customers' | 'responses', readonly Row[]>>
}

/** Day 0 of every made company. */
export const firstDay: Day = '2024-01-01'
export const dayAt = (day: number): Day => addDays(firstDay, day)
/** An instant within a day. @param share of the day that has passed */
export function instantAt(day: number, share: number): string {
  const minute = Math.floor(1440 * share)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${dayAt(day)} ${two(Math.floor(minute / 60))}:${two(minute % 60)}:00`
}

/** The head of a program file: its sources as far as there are rows. */
export function sourcesText(tables: MadeCompany['tables'], lastDay: Day): string {
  const lines = (['events', 'customers', 'responses'] as const).flatMap((table) => {
    const covers = table === 'customers' ? '' : `, covers_until: ${lastDay}`
    return tables[table].length === 0 ? [] : [`  ${table}: { file: ${table}.csv${covers} }`]
  })
  return `program: made\npopulation: customer\ncurrency: EUR\ntimezone: UTC\nsources:\n${lines.join('\n')}\n`
}

/** Writes a company into a folder and takes it into a lake beside it. */
export async function settleCompany(
  company: MadeCompany,
  { folder, now }: { folder: string; now: string },
): Promise<{ program: Program; dataFolder: string }> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'program.yaml'), company.yaml)
  for (const [table, rows] of Object.entries(company.tables))
    if (rows.length > 0) await writeFile(join(folder, `${table}.csv`), csvOf(rows))
  const program = await readProgram(join(folder, 'program.yaml'), {})
  const dataFolder = join(folder, 'data')
  await ingest(program, { dataFolder, now, reporter: silentReporter })
  return { program, dataFolder }
}

/** All columns that any row has; no cell holds what CSV would have to quote. */
function csvOf(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return `${names.join(',')}\n${rows.map((row) => names.map((name) => row[name] ?? '').join(',')).join('\n')}\n`
}
