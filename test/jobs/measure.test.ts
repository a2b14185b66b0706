import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { type MeasureReport, measure } from '../../src/jobs/measure.ts'
import { readProgram } from '../../src/lake/program-file.ts'
import { madeRow, publishDay } from '../api/made-predictions.ts'
import { ingestMade, now } from '../lakes.ts'
import { makeProgram } from '../programs.ts'
import { type TriedOptions, triedCompany } from './tried-company.ts'

const settings = { seed: 1, reporter: silentReporter }

async function measureTried(
  options: TriedOptions = {},
  more: { initiative?: string; control?: string } = {},
): Promise<MeasureReport> {
  const made = await makeProgram(triedCompany(options))
  await ingestMade(made)
  return measure(made.program, { ...made, ...settings, initiative: 'call', ...more })
}

describe('an initiative that was drawn by lot', () => {
  it('is an experiment with an effect, an interval, a worth and a sentence', async () => {
    const report = await measureTried({ effect: -0.12, customers: 1500 })
    const [first] = report.results
    expect(report.evidence).toBe('experiment')
    expect(report.control).toBe('control')
    expect(first).toMatchObject({ metric: 'churn', horizon_days: 30, arm: 'called', customers: 1500 })
    expect(first.detected).toBe(true)
    expect(first.ci95[0]).toBeLessThan(-0.12)
    expect(first.ci95[1]).toBeGreaterThan(-0.12)
    expect(first.claimed_value).toBeCloseTo(-first.effect * 500 * report.arms.called, 6)
    expect(report.cost).toBe(5 * report.arms.called)
    expect(report.statement).toMatch(
      /^We changed call, which resulted in an? [\d.]+% reduction in churn within 30 days \(95% CI [\d.]+% to [\d.]+%\), worth €[\d,]+\.$/,
    )
  })
  it('claims nothing where there is no effect', async () => {
    const report = await measureTried()
    expect(report.results[0].detected).toBe(false)
    expect(report.results[0].claimed_value).toBeNull()
    expect(report.statement).toMatch(/no effect on churn within 30 days was detected/)
  })
  it('is measured within the horizons that have been observed', async () => {
    const { results } = await measureTried({ effect: -0.1 })
    expect(results.filter(({ metric }) => metric === 'churn').map((own) => own.horizon_days)).toEqual([
      30, 60,
    ])
  })
  it('repeats exactly', async () => {
    expect(await measureTried({ effect: -0.1 })).toEqual(await measureTried({ effect: -0.1 }))
  })
})

describe('an initiative that staff chose customers for', () => {
  const chosen = { choosing: 1, effect: -0.05, customers: 3000 }
  it('is adjusted for what they chose by', async () => {
    const report = await measureTried(chosen)
    const [first] = report.results
    expect(report.evidence).toBe('adjusted')
    expect(report.evidence_reason).toMatch(/can be told from what was known before/)
    // Those called have more tickets: the plain difference hides the effect.
    expect(first.plain_difference).toBeGreaterThan(0)
    expect(Math.abs(first.effect + 0.05)).toBeLessThan(0.04)
  })
  it('is an experiment by the word of the program file, with a warning', async () => {
    const report = await measureTried({ ...chosen, initiatives: '{ call: { randomised: true } }' })
    expect(report.evidence).toBe('experiment')
    expect(report.warnings.join(' ')).toMatch(/called can be told from control/)
  })
  it('is no experiment by its word, whatever the data look like', async () => {
    const report = await measureTried({ initiatives: '{ call: { randomised: false } }' })
    expect(report.evidence).toBe('adjusted')
  })
})

it('what it was to be judged by comes first, and where that cannot be measured it is said', async () => {
  const byTickets = await measureTried({ initiatives: '{ call: { primary: { metric: ticket } } }' })
  expect(byTickets.results[0].metric).toBe('churn')
  expect(byTickets.warnings.join(' ')).toMatch(/ticket, by which the initiative was to be judged, could not/)
  const later = '{ call: { primary: { metric: churn, horizon_days: 60 } } }'
  const { results, warnings } = await measureTried({ initiatives: later })
  expect([results[0].metric, results[0].horizon_days, warnings]).toEqual(['churn', 60, []])
})

describe('arms', () => {
  it('of other sizes than planned are told', async () => {
    const plan = '{ call: { shares: { control: 0.2, called: 0.8 } } }'
    const report = await measureTried({ initiatives: plan })
    expect(report.sample_ratio_p).toBeLessThan(0.001)
    expect(report.warnings.join(' ')).toMatch(/hardly chance/)
  })
  it('need one to compare with', async () => {
    const arms = ['red', 'blue'] as const
    await expect(measureTried({ arms })).rejects.toThrow(/call has the arms .*--control/)
    expect((await measureTried({ arms }, { control: 'red' })).control).toBe('red')
    await expect(measureTried({ arms }, { control: 'green' })).rejects.toThrow(/There is no arm green/)
  })
  it('that are one arm only cannot be compared', async () => {
    const report = await measureTried({ arms: ['called', 'called'] })
    expect(report).toMatchObject({ control: null, results: [], evidence: 'associational' })
    expect(report.statement).toMatch(/cannot be measured/)
  })
  it('that are one arm only are set against the forecasts made before, and against none made with hindsight', async () => {
    const made = await makeProgram(triedCompany({ arms: ['called', 'called'], effect: -0.1 }))
    await ingestMade(made)
    const forecasts = Array.from({ length: 800 }, (_, number) => madeRow(`c${number}`, { churn_30: 0.3 }))
    await publishDay(made, '2024-03-30', forecasts, '2024-03-01-1')
    const hindsight = forecasts.map((row) => ({ ...row, churn_30: 0.9 }))
    await publishDay(made, '2024-03-31', hindsight, '2024-05-01-1')
    const report = await measure(made.program, { ...made, ...settings, initiative: 'call' })
    expect(report.evidence).toBe('associational')
    expect(report.method).toBe('actual against the forecast made before')
    expect(report.results).toHaveLength(1)
    expect(report.results[0]).toMatchObject({
      metric: 'churn',
      horizon_days: 30,
      detected: true,
    })
    expect(report.results[0].control).toBeCloseTo(0.3, 9)
    expect(report.results[0].effect).toBeLessThan(0)
    expect(report.statement).toMatch(/which went along with .* worth .* if it is the cause\.$/)
  })
})

it('an unknown initiative names those that there are', async () => {
  await expect(measureTried({}, { initiative: 'cal' })).rejects.toThrow(/did you mean call\? Known: call/)
})

const realData = resolve(process.env.LOYALCAST_REAL_DATA ?? join(import.meta.dirname, '../../../shared/data'))
const isThere = existsSync(join(realData, 'hillstrom'))

describe.skipIf(!isThere)(
  `the Hillstrom example${isThere ? '' : ` (skipped: ${realData}/hillstrom is not there)`}`,
  () => {
    it('agrees with the difference in means', async () => {
      const made = await makeProgram(triedCompany({ customers: 10 }))
      const path = join(import.meta.dirname, '../../examples/hillstrom/program.yaml')
      const program = await readProgram(path, { LOYALCAST_REAL_DATA: realData })
      const { dataFolder, modelsFolder } = made
      await ingest(program, { dataFolder, now, reporter: silentReporter })
      const report = await measure(program, {
        dataFolder,
        modelsFolder,
        ...settings,
        initiative: 'mens-email',
      })
      const [visit] = report.results
      expect(report.evidence).toBe('experiment')
      expect(visit).toMatchObject({ metric: 'visit', customers: 42_613 })
      expect(Math.abs(visit.effect - visit.plain_difference)).toBeLessThan(0.001)
      // Of the difference in means: 1.96 standard errors of two shares.
      const half = (visit.ci95[1] - visit.ci95[0]) / 2
      expect(half).toBeGreaterThan(0.006)
      expect(half).toBeLessThan(0.00664)
      const { everybody, by_effect } = report.targeting ?? {}
      expect(everybody).toBeCloseTo(visit.effect, 12)
      expect(by_effect?.gains[10]).toBeCloseTo(visit.effect, 12)
      expect(by_effect?.ci95[0]).toBeLessThan(by_effect?.qini as number)
    }, 120_000)
  },
)
