import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addDays } from '../../../src/domain/days.ts'
import { silentReporter } from '../../../src/domain/progress.ts'
import { type CompanyOptions, simulateCompany } from '../../../training/synthetic/company.ts'
import { type FileRow, queryRows } from '../../programs.ts'

export const lastDay = '2026-10-31'
/** A day with a whole longest horizon after it. */
export const truthDay = addDays(lastDay, -90)

/** A simulated company on the disk. */
export interface MadeCompany {
  readonly folder: string
  /** Rows of a query in which `events`, `responses`, `customers`, `interventions` and `truth` are its files. */
  query<T extends FileRow>(sql: string): Promise<T[]>
  remove(): Promise<void>
}

/** Simulates a company into a folder of its own. Call `remove` when done. */
export async function makeCompany(options: Partial<CompanyOptions> = {}): Promise<MadeCompany> {
  const root = await mkdtemp(join(tmpdir(), 'loyalcast-company-'))
  const folder = join(root, 'company')
  await simulateCompany({ folder, seed: 1, lastDay, reporter: silentReporter, ...options })
  const files = {
    events: 'events/*.parquet',
    responses: 'responses/*.parquet',
    customers: 'customers.parquet',
    interventions: 'interventions.parquet',
    ...((options.truthDays ?? []).length > 0 && { truth: 'truth/*.parquet' }),
  }
  const tables = Object.entries(files).map(
    ([name, file]) => `${name} as (select * from read_parquet('${folder}/${file}'))`,
  )
  return {
    folder,
    query: (sql) => queryRows(`with ${tables.join(', ')} ${sql}`),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}
