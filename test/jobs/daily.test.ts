import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { plainShape } from '../../src/engage/export-shapes.ts'
import { type DailyReport, predictDay } from '../../src/jobs/daily.ts'
import { explainCustomer } from '../../src/jobs/explain.ts'
import { exportPredictions } from '../../src/jobs/export.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { openLake } from '../../src/lake/lake.ts'
import { train } from '../../training/train.ts'
import { forAnyRow, invariants } from '../invariants.ts'
import { makeLastingProgram, queryRows } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

const asOf = '2025-01-20'
const date = '2025-02-20'
const settings = { now: '2025-03-01T00:00:00Z', seed: 1, maxRows: 3000, reporter: silentReporter }

/** Training takes its time on a busy machine. */
const patience = 600_000

type Made = Awaited<ReturnType<typeof makeLastingProgram>>
type Row = Readonly<Record<string, unknown>>

async function exported(made: Made, name: string): Promise<Row[]> {
  const file = join(made.folder, `${name}.parquet`)
  await exportPredictions(made.program, { ...made, date, shape: plainShape('parquet'), file })
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
  }, patience)
  afterAll(() => made.remove())

  it.each(Object.entries(invariants))('%s', (_, holds) => holds(rows, made.program))

  it('has every customer at risk exactly once, and nobody who cancelled before', async () => {
    const atRisk = await queryRows<{ customer_id: string }>(`
      select customer_id from '${made.folder}/customers.csv'
      where joined_at <= '${date}' and customer_id not in (
        select customer_id from '${made.folder}/events.csv' where type = 'cancel' and cast("at" as date) <= '${date}')
      order by customer_id`)
    expect(rows.map((row) => row.customer_id)).toEqual(atRisk.map((row) => row.customer_id))
    expect(report).toMatchObject({ customers: rows.length, predicted: rows.length, abstained: 0 })
  })

  it('explains a customer exactly: effects add up to what the day predicts', async () => {
    const [{ customer_id, ...row }] = rows
    const customerId = String(customer_id)
    const { explanations, others } = await explainCustomer(made.program, {
      ...settings,
      ...made,
      date,
      customerId,
    })
    expect(others).toBeGreaterThan(10)
    expect(explanations.length).toBeGreaterThan(0)
    for (const { task, base, predicted, effects } of explanations) {
      expect(predicted).toBeCloseTo(Number(row[task === 'nps' ? 'nps_score' : `${task}_90`]), 5)
      expect(effects.reduce((sum, { effect }) => sum + effect, base)).toBeCloseTo(predicted, 9)
    }
    const unknown = explainCustomer(made.program, { ...settings, ...made, date, customerId: 'nobody' })
    await expect(unknown).rejects.toThrow(`nobody is no customer of ${made.program.name} at risk on ${date}.`)
  })

  it('weighs gains by their probability', () => {
    forAnyRow(rows, (row) => {
      expect(row.expected_gain).toBe(Number((120 * (row.upsell_90 as number)).toFixed(2)))
    })
  })

  it('carries the risk of leaving on behind the longest horizon, to what a year brings', () => {
    forAnyRow(rows, (row) => {
      const there = [1, ...[30, 60, 90].map((days) => 1 - Number(row[`churn_${days}`]))]
      const risks = [1, 2, 3].map((end) => Math.log(there[end - 1] / there[end]) / 30)
      // Day by day, at the middle of the day: small risks make that as good as the integral.
      let days = 0
      for (let day = 0; day < 365; day++) {
        const interval = Math.min(2, Math.floor(day / 30))
        days += there[interval] * Math.exp(-risks[interval] * (day + 0.5 - 30 * interval))
      }
      const worth = ((row.annual_value as number) * 0.4 * days) / 365
      expect(Math.abs((row.expected_value_12m as number) - worth)).toBeLessThan(0.01)
    })
  })

  it(
    'gives the same bytes when it is run again, and by a version trained again',
    async () => {
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
    },
    patience,
  )

  it('finds the skill that is there: churn and NPS depend on tickets', () => {
    const flags = JSON.parse(rows[0].flags as string)
    expect(flags).toMatchObject({ churn: 'model', nps: 'model' })
  })
})

describe('a company in which nothing depends on anything', () => {
  it(
    'is served base rates, flagged as such, and a second version is no reason to promote',
    async () => {
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
    },
    patience,
  )
})

describe('a company with too little to learn from', () => {
  it(
    'abstains for every customer and says how much is missing',
    async () => {
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
    },
    patience,
  )
})
