import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predictionColumns } from '../../src/domain/prediction.ts'
import { type MadeProgram, makeLastingProgram, queryRows } from '../programs.ts'
import { publishRows } from '../published-rows.ts'
import { loyalcast, loyalcastHere } from './commands.ts'

const yaml = `
sources: { events: { file: events.csv } }
outcomes: { churn: { absence_of: login } }`
const events = [
  { customer_id: 'a', at: '2026-10-01', type: 'login' },
  { customer_id: 'b', at: 'soon', type: 'login' },
]

let made: Awaited<ReturnType<typeof makeLastingProgram>>
beforeAll(async () => {
  made = await makeLastingProgram({ files: { 'events.csv': events }, yaml })
})
afterAll(() => made.remove())

/** Paths with no sense on this machine. */
const nowhere = '/proc/loyalcast'

describe('loyalcast', () => {
  it('ingests with code 0 and words on stderr, options before or after the arguments', async () => {
    const first = await loyalcast(['--data', made.dataFolder, 'ingest', made.path])
    expect(first).toMatchObject({ code: 0, stdout: '' })
    expect(first.stderr).toContain(
      'events[0]: 2 read = 1 stored + 0 duplicate + 1 quarantined (1 with a time that cannot be read)',
    )
    const second = await loyalcast(['ingest', made.path, '--data', made.dataFolder])
    expect(second.stderr).toContain('events[0]: unchanged, 2 rows known')
  })

  it('prints exactly one JSON document with --json', async () => {
    const { code, stdout } = await loyalcast(['ingest', '--json', made.folder], {
      environment: { LOYALCAST_DATA: made.dataFolder },
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ program: 'test', sources: [{ source: 'events[0]', read: 2 }] })
  })

  it('ends without a word where nobody reads on', async () => {
    const pipe = `set -o pipefail; "$0" "$1" schema | true`
    const run = promisify(execFile)
    const { stderr } = await run('bash', ['-c', pipe, process.execPath, join('bin', 'loyalcast.mjs')])
    expect(stderr).toBe('')
  })

  it("resolves relative paths against the caller's folder", async () => {
    const options = { environment: { INIT_CWD: made.folder } }
    const { code } = await loyalcast(['ingest', 'program.yaml', '--data', 'lake/here'], options)
    expect(code).toBe(0)
    expect((await stat(join(made.folder, 'lake/here/test/commits'))).isDirectory()).toBe(true)
  })

  it('says what is wrong with its use, and ends with code 2', async () => {
    const wrong: [string[], RegExp][] = [
      [['inject', made.path], /unknown command 'inject'/],
      [['ingest', made.path, '--fast'], /unknown option '--fast'/],
      [['ingest'], /missing required argument 'program'/],
      [['ingest', join(made.folder, 'none.yaml')], /none\.yaml: no such file\. There: .*program\.yaml/],
      [['export', made.path, 'predictions', '--date', '2026-13-01'], /a day looks like 2026-11-20/],
      [
        ['export', made.path, 'predictions', '--date', '2026-10-01', '--format', 'xlsx'],
        /csv, ndjson, parquet/,
      ],
    ]
    for (const [index, [args, words]] of wrong.entries()) {
      const run = index === 0 ? loyalcast : loyalcastHere
      const { code, stdout, stderr } = await run([...args, '--data', made.dataFolder])
      expect([code, stdout], args.join(' ')).toEqual([2, ''])
      expect(stderr).toMatch(words)
    }
  })

  it('fails with code 1 and one sentence where the lake cannot be written', async () => {
    await made.write('occupied/test', 'a file in the place of the lake')
    await symlink(nowhere, join(made.folder, 'astray'))
    for (const folder of [nowhere, join(made.folder, 'occupied'), join(made.folder, 'astray')]) {
      const run = folder === nowhere ? loyalcast : loyalcastHere
      const { code, stdout, stderr } = await run(['ingest', made.path, '--data', folder, '--json'])
      expect([code, stdout], folder).toEqual([1, ''])
      expect(stderr, folder).toMatch(/cannot be (made|locked).*\.\n$/)
      expect(stderr).not.toMatch(/unexpected|^\s+at /m)
    }
  })
})

/** Puts predictions of two customers into the lake without a model. */
async function predict(made: MadeProgram, date: string): Promise<void> {
  const row = {
    program: 'test',
    date,
    status: 'predicted',
    churn_30: 0.25,
    top_drivers: '[{"effect":1}]',
    flags: '{}',
  }
  const rows = [
    { ...row, customer_id: 'b"2' },
    { ...row, customer_id: 'a, 1', churn_30: 0.5 },
  ]
  await publishRows(made, { date, modelVersion: 'v1', rows })
}

describe('loyalcast export', () => {
  const date = '2026-10-01'
  const run = (...more: string[]) =>
    loyalcastHere(['export', made.path, 'predictions', '--date', date, '--data', made.dataFolder, ...more])
  beforeAll(() => predict(made, date))

  it('writes the rows to stdout, by customer, as CSV or as JSON lines', async () => {
    const csv = await loyalcast([
      'export',
      made.path,
      'predictions',
      '--date',
      date,
      '--data',
      made.dataFolder,
    ])
    expect(csv.code).toBe(0)
    const [header, first, second, ...rest] = csv.stdout.split('\n')
    expect(header).toBe(
      predictionColumns(made.program)
        .map(({ name }) => name)
        .join(','),
    )
    expect(first).toMatch(/^test,"a, 1",2026-10-01,,predicted,/)
    expect(second).toMatch(/^test,"b""2",/)
    expect(rest).toEqual([''])

    const lines = (await run('--format', 'ndjson')).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { customer_id: 'a, 1', churn_30: 0.5, churn_60: null, top_drivers: [{ effect: 1 }], flags: {} },
      { customer_id: 'b"2' },
    ])
  })

  it('prints one array with --json and no file', async () => {
    const { stdout } = await run('--json')
    expect(JSON.parse(stdout).map((row: { customer_id: string }) => row.customer_id)).toEqual(['a, 1', 'b"2'])
  })

  it.each(['csv', 'parquet'])('writes a %s file, and says so', async (format) => {
    const file = join(made.folder, `out.${format}`)
    const { code, stdout } = await run('--format', format, '--out', file, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ program: 'test', date, rows: 2, file })
    if (format === 'parquet') {
      const rows = await queryRows(`select customer_id, date::varchar as date, churn_30 from '${file}'`)
      expect(rows[0]).toEqual({ customer_id: 'a, 1', date, churn_30: 0.5 })
    } else expect((await readFile(file, 'utf8')).split('\n').length).toBeGreaterThan(2)
  })

  it('refuses a day without predictions with those that there are, and a place that cannot be written', async () => {
    await mkdir(join(made.folder, 'taken'), { recursive: true })
    const unknown = ['export', made.path, 'predictions', '--date', '2026-10-02', '--data', made.dataFolder]
    expect(await loyalcastHere(unknown)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/No predictions of 2026-10-02\. There are predictions of: 2026-10-01\./),
    })
    for (const out of ['taken', 'nowhere/rows.csv']) {
      expect(await run('--out', join(made.folder, out))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/cannot be written/),
      })
    }
  })
})
