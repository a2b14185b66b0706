import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import { type JudgedTask, judgeTask, ours, type TaskRun } from '../../bench/quality-judge.ts'
import type { TaskForecast } from '../../bench/quality-ours.ts'
import { judgeClaims, tableHead, tableRows } from '../../bench/quality-report.ts'

const random = xoroshiro128plus(11)
const rows = Array.from({ length: 3000 }, (_, row) => row)
const truth = Float64Array.from(rows, () => 0.05 + 0.5 * uniformFloat64(random) ** 2)
const happened = Int32Array.from(truth, (p) => (uniformFloat64(random) < p ? 1 : 0))
const of = (values: Float64Array, intervals: TaskForecast['intervals'] = null): TaskForecast => ({
  values,
  intervals,
  validationLoss: null,
  trainSeconds: 2,
  predictSeconds: 0.1,
})

function run(forecasts: Readonly<Record<string, TaskForecast>>, labels = happened): TaskRun {
  const row = Int32Array.from(rows)
  const test = { row, label: labels, customer: row, cutoff: new Int32Array(rows.length) }
  const kind = forecasts[ours].intervals === null ? 'outcome' : 'answer'
  const task = {
    name: kind === 'answer' ? 'nps' : 'churn_30',
    kind,
    horizonDays: 30,
    isAbsence: false,
    train: { ...test, fold: test.row },
    test,
  } as const
  return { task, forecasts: new Map(Object.entries(forecasts)) }
}

const judge = (runs: readonly TaskRun[]) =>
  judgeTask('telco', runs, { rivals: ['xgboost', 'catboost'], seed: 1 })
const blurred = truth.map((p) => 0.5 * p + 0.1)
const blind = truth.map(() => 0.2)

describe('a judged outcome', () => {
  const good = judge([run({ [ours]: of(truth), xgboost: of(blind), catboost: of(blurred) })])

  it('is compared with the peer of the lowest log loss', () => {
    expect(good.ratio?.best.of).toBe('catboost')
    expect(good.ratio?.best.mean).toBeLessThan(1)
    expect(good.ratio?.chosen).toEqual(good.ratio?.best)
    const figure = (who: string) =>
      good.all.find((figures) => figures.who === who)?.mean['log loss'] as number
    expect(good.ratio?.best.mean).toBeCloseTo(figure(ours) / figure('catboost'), 10)
  })
  it('is compared with the peer that was best where settings were chosen, run by run', () => {
    const tuned = (validationLoss: number, values: Float64Array) => ({ ...of(values), validationLoss })
    const runs = [0.4, 0.2].map((loss) =>
      run({ [ours]: of(truth), xgboost: tuned(0.3, blind), catboost: tuned(loss, blurred) }),
    )
    const { chosen, best } = judge(runs).ratio ?? {}
    expect(chosen?.of).toBe('xgboost, catboost')
    expect(best?.of).toBe('catboost')
    expect(chosen?.mean).toBeLessThan(best?.mean ?? 0)
    expect(judgeClaims([judge(runs)])[1].words).toContain('in hindsight on none')
  })
  it('fails the claims against the best peer in hindsight, whichever was chosen', () => {
    const tuned = (validationLoss: number, values: Float64Array) => ({ ...of(values), validationLoss })
    const judged = judge([
      run({ [ours]: of(blurred), xgboost: tuned(0.2, blind), catboost: tuned(0.3, truth) }),
    ])
    expect(judged.ratio?.chosen.mean).toBeLessThan(1)
    const [mean, interval] = judgeClaims([judged])
    expect([mean.isHeld, interval.isHeld]).toEqual([false, false])
    expect(interval.words).toContain('in hindsight on telco churn_30, over the chosen peer on none')
  })
  it('holds all claims where it knows the truth', () => {
    expect(judgeClaims([good]).map(({ isHeld }) => isHeld)).toEqual([true, true, true])
  })
  it('fails the claims where it is worse than a peer and off its level', () => {
    const bad = judge([run({ [ours]: of(truth.map((p) => p / 3)), xgboost: of(truth), catboost: of(truth) })])
    const claims = judgeClaims([bad])
    expect(claims.map(({ isHeld }) => isHeld)).toEqual([false, false, false])
    expect(claims[1].words).toContain('telco churn_30')
    expect(judgeClaims([good, bad])[2].words).toContain('telco churn_30')
  })
  it('has a spread over runs, and a line for everybody', () => {
    const forecasts = { xgboost: of(blind), catboost: of(blurred) }
    const twice = judge([
      run({ [ours]: of(truth), ...forecasts }),
      run({ [ours]: of(blurred), ...forecasts }),
    ])
    const own = twice.all[0]
    expect(own.spread?.['log loss']).toBeGreaterThan(0)
    expect(own.spread?.['train s']).toBe(0)
    const lines = tableRows(twice).split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[0]).toContain('of catboost')
    expect(tableHead()).toContain('log loss')
  })
})

describe('judged answers', () => {
  const scores = Int32Array.from(rows, (row) => row % 11)
  const flat = new Float64Array(11 * rows.length).fill(1 / 11)
  const ends = (high: number) => ({
    low: new Float64Array(rows.length),
    high: new Float64Array(rows.length).fill(high),
  })
  const judged = (high: number): JudgedTask =>
    judge([run({ [ours]: of(flat, ends(high)), xgboost: of(flat), catboost: of(flat) }, scores)])

  it('have the RPS, error and AUC of a forecast that knows nothing', () => {
    const { mean } = judged(8).all[0]
    expect(mean.MAE).toBeCloseTo(30 / 11, 2)
    expect(mean['det. AUC']).toBeCloseTo(0.5, 10)
    expect(mean['log loss']).toBeCloseTo(Math.log(11), 6)
    expect(mean.AUC).toBeUndefined()
  })
  it('hold the claim of coverage where 78 to 88% lie within the interval', () => {
    const isHeld = (high: number) => judgeClaims([judged(high)]).at(-1)?.isHeld
    expect([7, 8, 9].map(isHeld)).toEqual([false, true, false])
    expect(judged(8).coverage).toBeCloseTo(9 / 11, 2)
  })
})
