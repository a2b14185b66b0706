import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Program } from '../src/domain/program.ts'
import { silentReporter } from '../src/domain/progress.ts'
import { plainShape } from '../src/engage/export-shapes.ts'
import { predictDay } from '../src/jobs/daily.ts'
import { exportPredictions } from '../src/jobs/export.ts'
import { ingest } from '../src/jobs/ingest.ts'
import { readProgram } from '../src/lake/program-file.ts'
import { type TrainReport, train } from '../training/train.ts'
import { invariants } from './invariants.ts'
import { queryRows } from './programs.ts'

const realData = resolve(process.env.LOYALCAST_REAL_DATA ?? join(import.meta.dirname, '../../shared/data'))

/** Training takes its time on a busy machine. */
const patience = 900_000

interface Example {
  readonly name: string
  /** Folder of the data. */
  readonly data: string
  readonly asOf: string
  readonly date: string
  /** How many are scored; null where that is not known. */
  readonly customers: number | null
  /** Columns with a number for everybody. */
  readonly filled: readonly string[]
  readonly task: string
  /** More rows where it takes them to see what is to be seen. Default 2500. */
  readonly maxRows?: number
  /** What training leaves out because it gives the outcome away. */
  readonly leaks?: readonly string[]
  /** Default true. */
  readonly hasSkill?: boolean
}

/** Each example as its README runs it, on few rows: how good it is on all of them is measured by `bench:examples`. */
const examples: readonly Example[] = [
  {
    name: 'online_retail',
    data: 'online_retail',
    asOf: '2011-06-11',
    date: '2011-09-09',
    customers: 3370,
    filled: ['churn_30', 'churn_60', 'churn_90'],
    task: 'churn',
  },
  {
    name: 'oulad_2013',
    data: 'oulad_2013',
    asOf: '2013-09-30',
    date: '2013-11-30',
    customers: 7433,
    filled: ['churn_30', 'churn_60', 'churn_90'],
    task: 'churn',
    maxRows: 25_000, // withdrawals are rare: fewer rows leave the skill in doubt
  },
  {
    name: 'sfo_2017',
    data: 'sfo_2017',
    asOf: '2017-05-31',
    date: '2017-06-01',
    customers: null,
    filled: ['nps_score', 'nps_low', 'p_promoter', 'nps_score_90'],
    task: 'nps',
  },
  {
    name: 'telco',
    data: 'telco',
    asOf: '2024-02-29',
    date: '2024-03-01',
    customers: 1431,
    filled: ['churn_30', 'annual_value'],
    task: 'churn',
  },
  {
    name: 'telco_extended',
    data: 'telco',
    asOf: '2024-02-29',
    date: '2024-03-01',
    customers: 1431,
    filled: ['advocacy_30', 'churn_30', 'annual_value'],
    task: 'advocacy',
  },
  {
    name: 'iranian_churn',
    data: 'iranian_churn',
    asOf: '2024-03-31',
    date: '2024-04-01',
    customers: 562,
    filled: ['churn_90'],
    task: 'churn',
  },
  {
    name: 'bank_marketing',
    data: 'bank_marketing',
    asOf: '2009-12-31',
    date: '2010-11-17',
    customers: 2620,
    filled: ['upsell_30'],
    task: 'upsell',
    maxRows: 12_000, // the leak is told apart from an honest cause only among many
    leaks: ['call_seconds'],
  },
  {
    name: 'ravenstack',
    data: 'ravenstack',
    asOf: '2024-06-30',
    date: '2024-07-02',
    customers: 189,
    filled: ['churn_30', 'churn_60', 'churn_90'],
    task: 'churn',
    hasSkill: false,
  },
]

for (const example of examples) {
  const { hasSkill = true, leaks = [] } = example
  const isThere = existsSync(join(realData, example.data))
  const title = isThere
    ? example.name
    : `${example.name} (skipped: ${join(realData, example.data)} is not there)`
  describe.skipIf(!isThere)(`the example ${title}`, () => {
    let folder: string
    let program: Program
    let trained: TrainReport
    let rows: Readonly<Record<string, unknown>>[]

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'loyalcast-example-'))
      program = await readProgram(join(import.meta.dirname, '../examples', example.name), {
        LOYALCAST_REAL_DATA: realData,
      })
      const settings = {
        dataFolder: join(folder, 'data'),
        modelsFolder: join(folder, 'models'),
        now: '2026-11-20T00:00:00Z',
        seed: 1,
        maxRows: example.maxRows ?? 2500,
        reporter: silentReporter,
      }
      const ingested = await ingest(program, settings)
      for (const { read, stored, duplicate, quarantined } of ingested.sources)
        expect(read).toBe(stored + duplicate + quarantined)
      trained = await train(program, { ...settings, asOf: example.asOf })
      await predictDay(program, { ...settings, date: example.date })
      const file = join(folder, 'predictions.parquet')
      await exportPredictions(program, {
        ...settings,
        date: example.date,
        shape: plainShape('parquet'),
        file,
      })
      rows = await queryRows(`select * from '${file}'`)
    }, patience)
    afterAll(() => rm(folder, { recursive: true, force: true }))

    it.each(Object.entries(invariants))('%s', (_, holds) => holds(rows, program))

    it('predicts every customer at risk on the scored day', () => {
      if (example.customers !== null) expect(rows.length).toBe(example.customers)
      for (const row of rows) {
        expect(row.status).toBe('predicted')
        for (const column of example.filled) expect(row[column], column).not.toBeNull()
      }
    })

    it(`${hasSkill ? 'has skill' : 'finds no skill'} on later data, measured beside the baselines`, () => {
      const { card } = trained
      const judged =
        example.task === 'nps' ? card.nps : card.outcomes.find(({ name }) => name === example.task)
      expect(judged?.hasSkill).toBe(hasSkill)
      for (const { metrics } of card.outcomes[0]?.horizons ?? []) {
        expect(Object.keys(metrics)).toEqual(['model', 'base_rate', 'last_known', 'logistic'])
      }
    })

    it('says so on every prediction', () => {
      const flags = new Set(rows.map((row) => JSON.parse(row.flags as string)[example.task]))
      expect([...flags]).toEqual([hasSkill ? 'model' : 'base_rate'])
    })

    it(`leaves out what gives the outcome away: ${leaks.join(', ') || 'nothing'}`, () => {
      expect(trained.card.leaks.map(({ origin }) => origin)).toEqual(leaks)
      expect(trained.card.leaks.every(({ isAccepted }) => !isAccepted)).toBe(true)
    })
  })
}
