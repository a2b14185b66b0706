import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerClasses, predictionColumns } from '../../src/domain/prediction.ts'
import { silentReporter } from '../../src/domain/progress.ts'
import { type DailyReport, predictDay } from '../../src/jobs/daily.ts'
import { exportPredictions } from '../../src/jobs/export.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { openLake } from '../../src/lake/lake.ts'
import { train } from '../../training/train.ts'
import { makeLastingProgram, queryRows } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

const asOf = '2025-01-20'
const date = '2025-02-20'
const settings = { now: '2025-03-01T00:00:00Z', seed: 1, maxRows: 3000, reporter: silentReporter }

type Made = Awaited<ReturnType<typeof makeLastingProgram>>
type Row = Readonly<Record<string, unknown>>

async function exported(made: Made, name: string): Promise<Row[]> {
  const file = join(made.folder, `${name}.parquet`)
  await exportPredictions(made.program, { ...made, date, format: 'parquet', file })
  return queryRows(`select * replace (date::varchar as date) from '${file}'`)
}

async function trainAndPredict(made: Made): Promise<DailyReport> {
  await ingest(made.program, { ...settings, ...made })
  await train(made.program, { ...settings, ...made, asOf })
  return predictDay(made.program, { ...settings, ...made, date })
}

describe('a day of predictions', () => {
  let made: Made
  let report: DailyReport
  let rows: Row[]

  beforeAll(async () => {
    made = await makeLastingProgram(smallCompany())
    report = await trainAndPredict(made)
    rows = await exported(made, 'first')
  })
  afterAll(() => made.remove())

  /** Holds a rule against any row, and says which one broke it. */
  function everyRow(rule: (row: Row) => void): void {
    fc.assert(fc.property(fc.constantFrom(...rows), rule), { numRuns: 2 * rows.length })
  }
  const horizons = () => made.program.horizonsDays

  it('has the columns of the contract in their order', () => {
    expect(Object.keys(rows[0])).toEqual(predictionColumns(made.program).map(({ name }) => name))
  })

  it('has every customer at risk exactly once, and nobody who cancelled before', async () => {
    const atRisk = await queryRows<{ customer_id: string }>(`
      select customer_id from '${made.folder}/customers.csv'
      where joined_at <= '${date}' and customer_id not in (
        select customer_id from '${made.folder}/events.csv' where type = 'cancel' and cast("at" as date) <= '${date}')
      order by customer_id`)
    expect(rows.map((row) => row.customer_id)).toEqual(atRisk.map((row) => row.customer_id))
    expect(report).toMatchObject({ customers: rows.length, predicted: rows.length, abstained: 0 })
  })

  it('keeps every probability between 0 and 1, with six decimals', () => {
    const names = Object.keys(rows[0]).filter((name) => name.startsWith('p_') || /_(30|60|90)$/.test(name))
    everyRow((row) => {
      for (const name of names.filter((name) => !name.startsWith('nps_score') && row[name] !== null)) {
        const value = row[name] as number
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
        expect(Math.abs(value * 1e6 - Math.round(value * 1e6))).toBeLessThan(1e-6)
      }
    })
  })

  it('has NPS classes that sum to 1, the likeliest as its class, and scores on the scale', () => {
    everyRow((row) => {
      const classes = answerClasses.map((name) => row[`p_${name}`] as number)
      expect(classes[0] + classes[1] + classes[2]).toBeCloseTo(1, 9)
      expect(row[`p_${row.nps_class}`]).toBe(Math.max(...classes))
      for (const name of ['nps_score', ...horizons().map((days) => `nps_score_${days}`)]) {
        expect(row[name]).toBeGreaterThanOrEqual(0)
        expect(row[name]).toBeLessThanOrEqual(10)
      }
      expect(row.nps_low as number).toBeLessThanOrEqual(row.nps_high as number)
      for (const days of horizons()) {
        expect(
          (row[`p_detractor_${days}`] as number) + (row[`p_promoter_${days}`] as number),
        ).toBeLessThanOrEqual(1)
      }
    })
  })

  it('makes an event no less likely over a longer horizon, and an absence no likelier', () => {
    everyRow((row) => {
      for (const { name, kind } of made.program.outcomes) {
        const values = horizons()
          .map((days) => row[`${name}_${days}`])
          .filter((value) => value !== null)
        const ordered = [...(values as number[])].sort((a, b) => (kind === 'event' ? a - b : b - a))
        expect(values).toEqual(ordered)
      }
    })
  })

  it('computes money from what is configured, and nothing else', () => {
    everyRow((row) => {
      expect(row.value_at_risk).toBeCloseTo((row.annual_value as number) * 0.4 * (row.churn_90 as number), 4)
      expect(row.expected_gain).toBeCloseTo(120 * (row.upsell_90 as number), 4)
    })
  })

  it('says of every task where its number comes from, and leaves empty what it does not predict', () => {
    everyRow((row) => {
      const flags = JSON.parse(row.flags as string) as Record<string, string>
      expect(Object.keys(flags)).toEqual(expect.arrayContaining(['nps', 'churn', 'upsell', 'inactivity']))
      for (const { name } of made.program.outcomes) {
        for (const days of horizons()) {
          const flag = flags[`${name}_${days}`] ?? flags[name]
          expect(flag).toMatch(/^(model|base_rate|abstained:[a-z_]+)$/)
          expect(row[`${name}_${days}`] === null).toBe(flag.startsWith('abstained'))
        }
      }
    })
  })

  it('names drivers with the behaviour, its value and its effect', () => {
    everyRow((row) => {
      const drivers = JSON.parse(row.top_drivers as string) as Record<string, unknown>[]
      expect(drivers.length).toBeGreaterThan(0)
      for (const driver of drivers) {
        expect(Object.keys(driver)).toEqual(['feature', 'words', 'value', 'effect', 'unit', 'outcome'])
        expect(Math.abs(driver.effect as number)).toBeLessThanOrEqual(driver.unit === 'points' ? 10 : 1)
      }
    })
  })

  it('gives the same bytes when it is run again, and by a version trained again', async () => {
    const bytesOf = async () => {
      const lake = await openLake(made.dataFolder, made.program)
      return readFile(join(lake.folder, lake.state.predictions.get(date)?.path ?? ''))
    }
    const first = await bytesOf()
    await predictDay(made.program, { ...settings, ...made, date })
    expect((await bytesOf()).equals(first)).toBe(true)
    const modelsFolder = join(made.folder, 'models-again')
    await train(made.program, { ...settings, ...made, modelsFolder, asOf })
    await predictDay(made.program, { ...settings, ...made, modelsFolder, date })
    expect((await bytesOf()).equals(first)).toBe(true)
  })

  it('finds the skill that is there: churn and NPS depend on tickets', () => {
    const flags = JSON.parse(rows[0].flags as string)
    expect(flags).toMatchObject({ churn: 'model', nps: 'model' })
  })
})

describe('a company in which nothing depends on anything', () => {
  it('is served base rates, flagged as such, and a second version is no reason to promote', async () => {
    const made = await makeLastingProgram(smallCompany({ hasSignal: false, customers: 200, days: 300 }))
    try {
      await ingest(made.program, { ...settings, ...made })
      const trained = await train(made.program, { ...settings, ...made, asOf: '2024-09-30' })
      expect(trained.promoted).toBe(true)
      await predictDay(made.program, { ...settings, ...made, date })
      const [row] = await exported(made, 'dull')
      expect(JSON.parse(row.flags as string)).toMatchObject({ upsell: 'base_rate', nps: 'base_rate' })
    } finally {
      await made.remove()
    }
  })
})

describe('a company with too little to learn from', () => {
  it('abstains for every customer and says how much is missing', async () => {
    const made = await makeLastingProgram(smallCompany({ customers: 12 }))
    try {
      const report = await trainAndPredict(made)
      expect(report).toMatchObject({ predicted: 0 })
      expect(report.abstained).toBeGreaterThan(0)
      const rows = await exported(made, 'tiny')
      for (const row of rows) {
        expect(row.status).toBe('abstained')
        expect(row.reason).toMatch(
          /churn: too_few_outcomes\. \d+ customers .* at least 30 are needed: \d+ are missing/,
        )
        expect(row.churn_30).toBeNull()
        expect(row.nps_score).toBeNull()
      }
    } finally {
      await made.remove()
    }
  })
})
