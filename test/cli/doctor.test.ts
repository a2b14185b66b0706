import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { controlPath } from '../../src/control/control.ts'
import { openServerControl, serverControlPath } from '../../src/control/server-control.ts'
import { silentReporter } from '../../src/domain/progress.ts'
import { codeVersion } from '../../src/domain/version.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { Registry } from '../../src/model/registry.ts'
import { madeRow, publishDay } from '../api/made-predictions.ts'
import { type MadeProgram, makeProgram } from '../programs.ts'
import { loyalcastHere } from './commands.ts'

beforeEach(() => void vi.stubEnv('LOYALCAST_NOW', '2026-11-20T12:00:00Z'))
afterEach(() => vi.unstubAllEnvs())

const events = (...days: string[]) => days.map((at) => ({ customer_id: 'a', at, type: 'login' }))
const yaml = 'sources: { events: { file: events.csv } }\noutcomes: { churn: { absence_of: login } }'
const make = (...days: string[]) => makeProgram({ yaml, files: { 'events.csv': events(...days) } })
const foldersOf = ({ dataFolder, modelsFolder }: MadeProgram) => [
  '--data',
  dataFolder,
  '--models',
  modelsFolder,
]
const doctor = async (made: MadeProgram) => {
  const { code, stdout } = await loyalcastHere(['doctor', made.path, ...foldersOf(made), '--json'])
  return { code, ...JSON.parse(stdout) }
}
const promote = async ({ modelsFolder }: MadeProgram) => {
  const registry = new Registry(modelsFolder, 'test')
  await registry.publish('2026-11-18-1', { 'card.json': '{}' })
  await registry.promote('2026-11-18-1', { at: '2026-11-18T00:00:00Z', reason: 'first' })
}
const ingestAll = ({ program, dataFolder }: MadeProgram) =>
  ingest(program, { dataFolder, now: '2026-11-20T12:00:00Z', reporter: silentReporter })

describe('loyalcast doctor', () => {
  it('finds nothing wrong where nothing is, and says what there is', async () => {
    const made = await make('2026-11-17', '2026-11-18')
    await ingestAll(made)
    await promote(made)
    await publishDay(made, '2026-11-18', [madeRow('a')])
    const report = await doctor(made)
    expect([report.code, report.problems]).toEqual([0, []])
    expect(report.programs).toEqual([
      {
        ...{ program: 'test', rows: { events: 2, customers: 0, responses: 0, interventions: 0 } },
        ...{ data_until: '2026-11-18', predicted_days: 1, latest_day: '2026-11-18' },
        ...{ last_daily: '2026-11-20T12:00:00Z', versions: 1, champion: '2026-11-18-1', problems: [] },
      },
    ])
    expect(report.system).toMatchObject({
      ...{ version: codeVersion, node: process.versions.node, duckdb: expect.stringMatching(/^v\d+\.\d+/) },
      backend: expect.stringMatching(/^(wasm|tfjs-node)$/),
    })
    expect(report.data).toMatchObject({ path: made.dataFolder, is_there: true, is_writable: true })
    const { code, stderr } = await loyalcastHere(['doctor', made.path, ...foldersOf(made)])
    expect([code, stderr]).toEqual([0, expect.stringMatching(/2026-11-18-1 serves\n\nNothing is wrong\.\n$/)])
  })

  it('says what to do next, step by step', async () => {
    const made = await make('2026-11-17', '2026-11-18')
    const problems = async () => {
      const report = await doctor(made)
      expect(report.code).toBe(1)
      return report.problems
    }
    expect(await problems()).toEqual([`test has no rows yet. Run loyalcast ingest ${made.path}.`])
    await ingestAll(made)
    expect(await problems()).toEqual([
      `test has no version that serves: nothing can be predicted. Run loyalcast train ${made.path}.`,
    ])
    await promote(made)
    expect(await problems()).toEqual([
      `test has no predictions yet. Run loyalcast daily ${made.path} --date 2026-11-18.`,
    ])
    await publishDay(made, '2026-11-16', [madeRow('a')])
    expect(await problems()).toEqual([
      `The latest predictions of test are of 2026-11-16, though there are data up to 2026-11-18. Run loyalcast daily ${made.path} --date 2026-11-18.`,
    ])
  })

  it('finds databases, lakes and program files that cannot be read', async () => {
    const made = await make('2026-11-18')
    await mkdir(join(made.dataFolder, 'test', 'commits'), { recursive: true })
    await writeFile(join(made.dataFolder, 'test', 'commits', '00000001.json'), '{}')
    for (const path of [serverControlPath(made.dataFolder), controlPath(made.dataFolder, made.program)])
      await writeFile(path, 'this is no database'.repeat(100))
    const args = ['doctor', made.path, 'nowhere.yaml', ...foldersOf(made), '--json']
    const { code, stdout } = await loyalcastHere(args)
    expect([code, JSON.parse(stdout).problems]).toEqual([
      1,
      [
        expect.stringMatching(/server\.sqlite cannot be opened/),
        expect.stringMatching(/nowhere\.yaml/),
        expect.stringMatching(/00000001\.json is not record 1 of this lake/),
        expect.stringMatching(/test\.control\.sqlite cannot be opened/),
      ],
    ])
  })

  it('finds wrong settings, names their values, and counts the keys that work', async () => {
    const made = await make('2026-11-18')
    const control = await openServerControl(made.dataFolder)
    const key = { name: 'x', role: 'reader', programs: null, createdAt: '2026-01-01T00:00:00Z' } as const
    const secret = 'x'.repeat(43)
    await control.keys.create({ ...key, id: 'works', secret, expiresAt: null })
    await control.keys.create({ ...key, id: 'over', secret, expiresAt: '2026-11-20T00:00:00Z' })
    await control.close()
    vi.stubEnv('LOYALCAST_API_KEY', 'geheim')
    vi.stubEnv('LOYALCAST_RATE_LIMIT', 'lots')
    const { code, stdout } = await loyalcastHere(['doctor', ...foldersOf(made), '--json'])
    const report = JSON.parse(stdout)
    expect([code, report.keys.working_keys]).toEqual([1, 1])
    expect(report.problems).toEqual([
      expect.stringMatching(/^LOYALCAST_API_KEY is too short/),
      expect.stringMatching(/^LOYALCAST_RATE_LIMIT is "lots"/),
    ])
    expect(stdout).not.toContain('geheim')
  })
})
