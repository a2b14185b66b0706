import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { Registry } from '../../src/model/registry.ts'
import type { Card } from '../../training/card.ts'
import type { HorizonMetrics } from '../../training/evaluation.ts'
import { loyalcast } from '../cli/commands.ts'
import { makeLastingProgram, queryRows } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

/** A row of a data frame, as JSON: NaN is null. */
type FrameRow = Readonly<Record<string, number | string | null>>

interface Explored {
  readonly rows: number
  readonly columns: readonly string[]
  readonly sampledShare: number
  readonly describe: readonly FrameRow[]
  readonly means: readonly FrameRow[]
  readonly evaluation: readonly FrameRow[]
}

const now = '2026-11-20T12:00:00Z'
const metrics = (logLoss: number): HorizonMetrics => ({
  ...{ auc: 0.7, prAuc: null, logLoss, brier: 0.1, ece: 0.02, liftAt10: 2.5 },
})
const answerMetrics = (rps: number) => ({ mae: 1.5, rps, detractorAuc: 0.8, promoterAuc: null })

/** As much of a card as is explored. */
const card = {
  version: '2024-10-26-1',
  outcomes: [
    {
      name: 'churn',
      horizons: [30, 60].map((horizonDays) => ({
        horizonDays,
        rows: 400 - horizonDays,
        metrics: {
          ...{ model: metrics(0.3), base_rate: metrics(0.4) },
          ...{ last_known: metrics(0.35), logistic: metrics(0.31) },
        },
      })),
    },
  ],
  nps: {
    answers: 50,
    metrics: {
      ...{ model: answerMetrics(0.75), base_rate: answerMetrics(1.5) },
      ...{ last_known: answerMetrics(1.25), logistic: answerMetrics(0.8) },
    },
  },
} as unknown as Card

describe('explore', () => {
  let made: Awaited<ReturnType<typeof makeLastingProgram>>
  let explored: Explored
  const explore = (...args: string[]) =>
    loyalcast(['explore', made.path, '--data', made.dataFolder, '--models', made.modelsFolder, ...args])

  beforeAll(async () => {
    made = await makeLastingProgram(smallCompany({ customers: 200, days: 300 }))
    await ingest(made.program, { ...made, now, reporter: silentReporter })
    const registry = new Registry(made.modelsFolder, made.program.name)
    await registry.publish(card.version, { 'card.json': JSON.stringify(card) })
    await registry.promote(card.version, { at: now, reason: 'a test' })
    const { code, stdout, stderr } = await explore(
      '--by',
      'plan',
      '--json',
      '--out',
      join(made.folder, 'out'),
    )
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('features')
    explored = JSON.parse(stdout)
  })
  afterAll(() => made.remove())

  it('holds every row with a label: who, when, what was known, what happened', () => {
    expect(explored.columns.slice(0, 2)).toEqual(['customer', 'cutoff'])
    expect(explored.columns).toContain('login_count_30')
    expect(explored.columns.slice(-4)).toEqual(['inactivity_30', 'inactivity_60', 'inactivity_90', 'nps'])
    expect(explored.sampledShare).toBe(1)
    expect(explored.describe.find(({ column }) => column === 'customer')?.count).toBe(explored.rows)
  })

  it('groups labels to the same means as DuckDB finds in the files', async () => {
    const events = `(select customer_id, type, "at"::date as day from '${join(made.folder, 'events.csv')}')`
    const found = await queryRows<{ plan: string; mean: number; rows: number }>(`
      with cutoffs as (
        select distinct cutoff from '${join(made.folder, 'out/training.csv')}' where not isnan(churn_30)
      ),
      ends as (select customer_id, min(day) as day from ${events} where type = 'cancel' group by customer_id)
      select plan, avg((coalesce(ends.day <= cutoff + 30, false))::integer) as mean, count(*) as rows
      from '${join(made.folder, 'customers.csv')}' as customers
      join cutoffs on joined_at <= cutoff
      left join ends using (customer_id)
      where (ends.day is null or ends.day > cutoff) and cutoff + 30 <= (select max(day) from ${events})
      group by plan
      order by plan`)
    expect(found.map(({ plan }) => plan)).toEqual(['basic', 'gold'])
    for (const { plan, mean, rows } of found) {
      const group = explored.means.find((row) => row.plan === plan && row.label === 'churn_30')
      expect(group?.rows, plan).toBe(Number(rows))
      expect(group?.mean, plan).toBeCloseTo(mean, 12)
    }
  })

  it('describes the answers that DuckDB counts in the files', async () => {
    const [found] = await queryRows<{ count: number; mean: number; std: number; min: number; max: number }>(`
      select count(*) as count, avg(score) as mean, stddev_samp(score) as std, min(score) as min, max(score) as max
      from '${join(made.folder, 'answers.csv')}' as answers
      join '${join(made.folder, 'customers.csv')}' as customers using (customer_id)
      where "at"::date > joined_at`)
    const nps = explored.describe.find(({ column }) => column === 'nps')
    expect(nps).toMatchObject({ count: Number(found.count), min: found.min, max: found.max })
    expect(nps?.mean).toBeCloseTo(found.mean, 9)
    expect(nps?.std).toBeCloseTo(found.std, 9)
  })

  it("has a row of the card's metrics for each task, horizon and predictor", () => {
    expect(explored.evaluation).toHaveLength(4 * 3)
    const row = (task: string, horizon: number, predictor: string) =>
      explored.evaluation.find(
        (one) => one.task === task && one.horizon_days === horizon && one.predictor === predictor,
      )
    const churn = { rows: 340, logLoss: 0.35, auc: 0.7, prAuc: null, mae: null }
    expect(row('churn', 60, 'last_known')).toMatchObject(churn)
    expect(row('nps', 0, 'model')).toMatchObject({ rows: 50, rps: 0.75, mae: 1.5, logLoss: null })
  })

  it('writes CSV files and prints tables on stdout, of drawn customers where there are too many rows', async () => {
    const folder = join(made.folder, 'small')
    const { code, stdout, stderr } = await explore('--max-rows', '500', '--out', folder)
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/\d+ rows with a label .*: \d+\.\d% of the customers, drawn by hash/)
    expect(stdout).toMatch(/^training\n╔[\s\S]*\ndescribe\n╔[\s\S]*\nevaluation\n╔/)
    const rows = (await readFile(join(folder, 'training.csv'), 'utf8')).trimEnd().split('\n').length - 1
    expect(rows).toBeGreaterThan(100)
    expect(rows).toBeLessThan(explored.rows / 2)
    const [{ count }] = await queryRows(`select count(*) as count from '${join(folder, 'evaluation.csv')}'`)
    expect(Number(count)).toBe(12)
  })

  it('names the columns where it is asked for another', async () => {
    const { code, stderr } = await explore('--by', 'shoe_size')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--by is shoe_size; .*login_count_30/)])
  })
})
