import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentReporter } from '../../../src/domain/progress.ts'
import { readProgram } from '../../../src/lake/program-file.ts'
import { type CompanyOptions, simulateCompany } from '../../../training/synthetic/company.ts'
import { loyalcast } from '../../cli/commands.ts'
import { lastDay, type MadeCompany, makeCompany, truthDay } from './made-company.ts'

const small = { customers: 120, days: 300, truthDays: [truthDay], replications: 5 } as const

async function company(options: Partial<CompanyOptions> = {}): Promise<MadeCompany> {
  const made = await makeCompany({ ...small, ...options })
  onTestFinished(made.remove)
  return made
}

/** Relative path → content of every file. */
async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const paths = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = paths.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(
      files.sort().map(async (path) => [path.slice(folder.length), await readFile(path)] as const),
    ),
  )
}

describe('a simulated company', () => {
  it('is the same to the byte for the same seed, and another one for another', async () => {
    const [one, same, other] = [await company(), await company(), await company({ seed: 2 })]
    expect(await filesOf(same.folder)).toEqual(await filesOf(one.folder))
    const logins = `select count(*) as n, min("at") as first from events where type = 'login'`
    expect(await other.query(logins)).not.toEqual(await one.query(logins))
  })
  it('has the same customers whether they are simulated with few or with many others', async () => {
    const few = await company({ customers: 17 })
    const many = await company()
    for (const table of ['events', 'responses', 'customers', 'interventions', 'truth']) {
      const rows = `from ${table} where customer_id <= 'C0000017' order by all`
      expect(await few.query(rows), table).toEqual(await many.query(rows))
    }
  })
  it('hardly changes with the calendar: another last day moves every time and nothing else', async () => {
    const later = await company({ lastDay: '2027-03-05', truthDays: [] })
    const sooner = await company({ truthDays: [] })
    const rows = `select customer_id, type, value, minutes, "at" - (select min(joined_at) from customers) as since from events order by all`
    expect(await later.query(rows)).toEqual(await sooner.query(rows))
  })
  it('ends with its last day and tells nothing of customers who have left', async () => {
    const { query } = await company({ customers: 400 })
    const late = `from responses where "at" >= date '${lastDay}' + 1
      union all select customer_id from events where "at" >= date '${lastDay}' + 1`
    expect(await query(`select customer_id ${late}`)).toEqual([])
    const ends = `ends as (select customer_id, max("at") as left_at from events where type = 'cancel' group by 1)`
    for (const table of ['events', 'responses', 'interventions'])
      expect(
        await query(`, ${ends} from ${table} join ends using (customer_id) where "at" > left_at`),
      ).toEqual([])
    const [{ left }] = await query<{ left: number }>(`, ${ends} select count(*) as left from ends`)
    expect(left).toBeGreaterThan(20)
  })
  it('tells the attributes of everybody from joining on, and of each change of plan or price', async () => {
    const { query } = await company({ customers: 400 })
    const [counts] = await query<Record<string, number>>(`
      select
        count(distinct customer_id) as customers,
        count(*) filter (where valid_from < joined_at) as early,
        count(*) as rows,
        (select count(*) from events where type in ('upgrade', 'downgrade')) as changes
      from customers`)
    expect(counts).toMatchObject({ customers: 400, early: 0 })
    expect(counts.rows).toBeGreaterThan(400 + counts.changes)
    const [{ shared }] = await query<{ shared: number }>(
      'select max(members) as shared from (select count(distinct customer_id) as members from customers group by account_id)',
    )
    expect(shared).toBe(8)
  })
  it('comes with a program file that Loyalcast takes', async () => {
    const { folder } = await company()
    const program = await readProgram(join(folder, 'program.yaml'), {})
    expect(program.outcomes.map(({ name }) => name)).toEqual(['churn', 'upsell', 'advocacy'])
  })
})

describe('the folder of a simulation', () => {
  it('may hold an earlier simulation, which is replaced, and nothing else', async () => {
    const { folder } = await company()
    const options = { folder, seed: 3, lastDay, reporter: silentReporter, customers: 10, days: 150 }
    await simulateCompany(options)
    const files = [...(await filesOf(folder)).keys()]
    expect(files.filter((path) => path.startsWith('/truth/'))).toEqual([
      '/truth/effects/by-customer.parquet',
      '/truth/initiatives.json',
      '/truth/summary.json',
    ])
    const other = join(folder, '..', 'other')
    await mkdir(other)
    await writeFile(join(other, 'letter.txt'), '')
    await expect(simulateCompany({ ...options, folder: other })).rejects.toThrow(/other things, letter.txt/)
  })
  it.each([
    [{ customers: 0 }, /customers: found 0/],
    [{ days: 149 }, /days: found 149; allowed: a whole number from 150/],
    [{ truthDays: ['2020-01-01'] }, /truth of 2020-01-01 cannot be told/],
  ])('is not touched by what cannot be simulated: %o', async (wrong, message) => {
    const { folder } = await company()
    const before = await filesOf(folder)
    const options = { folder, seed: 1, lastDay, reporter: silentReporter, ...wrong }
    await expect(simulateCompany(options)).rejects.toThrow(message)
    expect(await filesOf(folder)).toEqual(before)
  })
  it('appears complete or not at all: a killed run leaves none, and the next one sweeps up', async () => {
    const { folder } = await company()
    const fresh = join(folder, '..', 'fresh')
    const args = ['simulate', fresh, '--customers', '100000', '--last-day', lastDay]
    const killed = await loyalcast(args, {
      onStderr: (text, child) => text.includes('simulate') && child.kill('SIGKILL'),
    })
    expect(killed.code).toBeNull()
    const left = await readdir(join(folder, '..'))
    expect(left).not.toContain('fresh')
    expect(left.some((name) => name.startsWith('fresh.simulating-'))).toBe(true)
    const done = await loyalcast(['simulate', fresh, '--customers', '20', '--last-day', lastDay, '--json'])
    expect(JSON.parse(done.stdout)).toMatchObject({ customers: 20, lastDay })
    expect((await readdir(join(folder, '..'))).sort()).toEqual(['company', 'fresh'])
  })
  it('is named with options that are checked', async () => {
    const { folder } = await company()
    for (const [option, value] of [
      ['--customers', 'many'],
      ['--days', '3'],
      ['--last-day', 'tomorrow'],
      ['--truth', '2020-01-01'],
    ]) {
      const refused = await loyalcast(['simulate', folder, option, value])
      expect(refused.code, refused.stderr).toBe(2)
      expect(refused.stderr).toContain(value === 'many' ? 'NaN' : value)
    }
  })
})
