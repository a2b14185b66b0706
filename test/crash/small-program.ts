import { createHash } from 'node:crypto'
import { cp, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { addDays } from '../../src/domain/days.ts'
import { type MadeProgram, makeLastingProgram } from '../programs.ts'

/** Commands on the small program see this clock. */
export const clock = '2024-08-01T12:00:00Z'
export const asOf = '2024-05-31'
export const dates = ['2024-06-01', '2024-06-02'] as const

const firstDay = '2024-01-01'

/** Logins every few days; a third of the customers stop one after another. */
function loginsBefore(day: string, customers: number): string {
  const rows = Array.from({ length: customers }, (_, number) => {
    const step = 4 + (number % 5)
    const last = number % 3 === 0 ? 40 + (number % 90) : 150 + (number % 7)
    const days = Array.from({ length: Math.floor(last / step) + 1 }, (_, times) =>
      addDays(firstDay, times * step),
    )
    return days.filter((login) => login < day).map((login) => `c${number},${login},login`)
  })
  return ['customer_id,at,type', ...rows.flat(), ''].join('\n')
}

export interface SmallProgram extends MadeProgram {
  /** Lets the events grow by some days. */
  grow(): Promise<void>
  remove(): Promise<void>
}

/** Too few customers to learn from: a training then takes a second and publishes all the same. */
export const tooFew = 60

/** A program small enough to be killed many times. */
export async function makeSmallProgram(customers: number): Promise<SmallProgram> {
  const made = await makeLastingProgram({
    files: { 'events.csv': loginsBefore(dates[1], customers), 'customers.csv': customersFile(customers) },
    yaml: `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { inactivity: { absence_of: [login] } }
horizons_days: [30]`,
  })
  return { ...made, grow: () => made.write('events.csv', loginsBefore('2025-01-01', customers)) }
}

function customersFile(customers: number): string {
  const rows = Array.from(
    { length: customers },
    (_, number) => `c${number},${firstDay},${number % 2 === 0 ? 'gold' : 'basic'}`,
  )
  return ['customer_id,joined_at,plan', ...rows, ''].join('\n')
}

/** Every file below a folder → what it holds, as a hash; links → where they point. Unfinished things are left out. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const found: Record<string, string> = {}
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    found[path.slice(folder.length + 1)] = entry.isSymbolicLink()
      ? `→ ${await readlink(path)}`
      : createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
  }
  return found
}

/** A copy of a folder, times and all, so that a source still looks unchanged. */
export async function copyFolder(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  return to
}
