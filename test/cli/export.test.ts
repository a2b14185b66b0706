import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { makeLastingProgram, queryRows } from '../programs.ts'
import { loyalcastHere } from './commands.ts'

const driver = (outcome: string, feature: string, value: unknown) => ({
  ...{ feature, words: `${feature}, "so to say"`, value, effect: value === null ? 0.01 : 0.2 },
  ...{ unit: outcome === 'nps' ? 'points' : 'probability', outcome },
})
const drivers = [
  ...[driver('churn', 'tickets', 3.5), driver('churn', 'plan', 'gold'), driver('churn', 'remainder', null)],
  ...[driver('nps', 'tickets', 3.5), driver('nps', 'remainder', null)],
]
const many = (churn: (n: number) => number) =>
  Array.from({ length: 60 }, (_, n) => madeRow(`c${String(n).padStart(3, '0')}`, { churn_90: churn(n) }))

let made: Awaited<ReturnType<typeof makeLastingProgram>>
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [...many(() => 0.2), madeRow('gone')])
  const [first, ...others] = many((n) => (n % 20 === 0 ? 0.7 : 0.2))
  const told = { ...first, top_drivers: JSON.stringify(drivers) }
  await publishDay(made, '2026-10-02', [told, ...others, madeRow('new, "and" odd')])
})
afterAll(() => made.remove())

const run = (what: string, ...more: string[]) =>
  loyalcastHere([...['export', made.path, what, '--date', '2026-10-02', '--data', made.dataFolder], ...more])
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('loyalcast export … changes', () => {
  const changed = [
    ['c000', 'moved'],
    ['c020', 'moved'],
    ['c040', 'moved'],
    ['gone', 'gone'],
    ['new, "and" odd', 'new'],
  ]

  it('writes who is new, gone and moved, a line each, with all that moved', async () => {
    const lines = linesOf((await run('changes', '--since', '2026-10-01', '--format', 'ndjson')).stdout)
    expect(lines.map(({ customer_id, change }) => [customer_id, change])).toEqual(changed)
    expect(lines[0]).toMatchObject({ figure: 'churn_90', before: 0.2, after: 0.7, cause: 'behaviour' })
    expect(lines[0].moved).toMatchObject([{ figure: 'churn_90', unit: 'probability', change: 0.5 }])
    expect(lines[4].moved).toEqual([])
  })

  it('is flat as CSV, with what moved as JSON text, and one array with --json', async () => {
    const table = parse((await run('changes', '--since', '2026-10-01')).stdout, { columns: true })
    const rows = table as Record<string, string>[]
    expect(rows.map(({ customer_id, change }) => [customer_id, change])).toEqual(changed)
    expect(rows[0]).toMatchObject({ figure: 'churn_90', before: '0.2', after: '0.7', segment_after: '' })
    expect(JSON.parse(rows[0].moved)).toMatchObject([{ figure: 'churn_90', model: 0 }])
    const array = JSON.parse((await run('changes', '--since', '2026-10-01', '--json')).stdout)
    expect(array[0].moved).toEqual(JSON.parse(rows[0].moved))
  })

  it('writes a file and says how many rows it has', async () => {
    const file = join(made.folder, 'changes.csv')
    const { stdout } = await run('changes', '--since', '2026-10-01', '--out', file, '--json')
    expect(JSON.parse(stdout)).toEqual({ program: 'test', date: '2026-10-02', rows: 5, file })
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(6)
  })
})

describe('loyalcast export … drivers', () => {
  it('writes a row for each driver of each task, ranked, the remainder last', async () => {
    const lines = linesOf((await run('drivers', '--format', 'ndjson')).stdout)
    expect(lines).toEqual(
      drivers.map(({ outcome, feature, words, value, effect, unit }, place) => ({
        ...{
          customer_id: 'c000',
          outcome,
          rank: [1, 2, 3, 1, 2][place],
          feature,
          words,
          value,
          effect,
          unit,
        },
      })),
    )
  })

  it('has the same rows as CSV and Parquet, where every value is text', async () => {
    const rows = parse((await run('drivers')).stdout, { columns: true }) as Record<string, string>[]
    expect(rows.map(({ value }) => value)).toEqual(['3.5', 'gold', '', '3.5', ''])
    const file = join(made.folder, 'drivers.parquet')
    expect((await run('drivers', '--format', 'parquet', '--out', file)).stderr).toMatch(/^5 rows written/)
    const stored = await queryRows(`select value, rank from '${file}'`)
    expect(stored.map(({ value }) => value ?? '')).toEqual(rows.map(({ value }) => value))
    expect(stored.map(({ rank }) => rank)).toEqual([1, 2, 3, 1, 2])
  })
})

describe('loyalcast export … predictions --for', () => {
  it('hubspot writes batches of up to 100 contacts', async () => {
    const fields = 'churn_90:churn_risk,segment'
    const more = ['--for', 'hubspot', '--fields', fields, '--id-field', 'shop_id']
    const batches = linesOf((await run('predictions', ...more)).stdout)
    expect(batches.map(({ inputs }) => inputs.length)).toEqual([61])
    expect(batches[0].inputs[0]).toEqual({
      ...{ id: 'c000', idProperty: 'shop_id' },
      properties: { churn_risk: '0.7', segment: '' },
    })
  })

  it('salesforce writes CSV in which #N/A clears a field', async () => {
    const file = join(made.folder, 'salesforce.csv')
    await run('predictions', '--for', 'salesforce', '--fields', 'churn_90:Risk__c,segment', '--out', file)
    const [header, first] = (await readFile(file, 'utf8')).split('\n')
    expect([header, first]).toEqual(['Customer_Id__c,Risk__c,segment', 'c000,0.7,#N/A'])
  })
})

describe('loyalcast export says what is wrong', () => {
  it.each([
    [['changes'], /needs --since/],
    [['changes', '--since', '2026-10-02'], /first day must be before/],
    [['changes', '--since', '2026-09-01'], /No predictions of 2026-09-01/],
    [['changes', '--since', 'soon'], /a day looks like/],
    [['drivers', '--since', '2026-10-01'], /--since goes with changes only/],
    [['drivers', '--for', 'hubspot'], /--for goes with predictions only/],
    [['predictions', '--for', 'hubspot', '--format', 'csv'], /hubspot takes ndjson/],
    [['predictions', '--id-field', 'x'], /--id-field goes with --for only/],
    [['predictions', '--fields', 'churn_9'], /Did you mean churn_90/],
    [['everything'], /predictions, changes, drivers/],
  ])('%j', async ([what, ...more], words) => {
    expect(await run(what, ...more)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(words),
    })
  })
})
