import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectedYears, keptYears, lastRisk } from '../../src/impact/customer-value.ts'

const horizonsDays = [30, 60, 90]
/** Chances of having left at an even risk a day. */
const evenly = (risk: number) => horizonsDays.map((days) => 1 - Math.exp(-risk * days))

describe('the value of a customer in years', () => {
  it('is the time until then for those who surely stay', () => {
    const stay = { horizonsDays, left: [0, 0, 0], laterRisk: null }
    expect(expectedYears(stay, 365, 0)).toBeCloseTo(1, 12)
    expect(expectedYears(stay, 45, 0)).toBeCloseTo(45 / 365, 12)
  })
  it('is discounted by the year', () => {
    const stay = { horizonsDays, left: [0, 0, 0], laterRisk: null }
    // The mean of 1.08^-t over a year.
    expect(expectedYears(stay, 365, 0.08)).toBeCloseTo((1 - 1 / 1.08) / Math.log(1.08), 12)
  })
  it('is that of an even risk, which goes on behind the last horizon', () => {
    const risk = 0.004
    const stay = { horizonsDays, left: evenly(risk), laterRisk: null }
    expect(lastRisk(stay)).toBeCloseTo(risk, 12)
    expect(expectedYears(stay, 365, 0)).toBeCloseTo((1 - Math.exp(-risk * 365)) / risk / 365, 12)
  })
  it('goes on at the risk that is told', () => {
    const stay = { horizonsDays, left: evenly(0.004), laterRisk: 0 }
    const within = expectedYears(stay, 90, 0)
    expect(expectedYears(stay, 365, 0) - within).toBeCloseTo(((365 - 90) / 365) * Math.exp(-0.36), 12)
  })
  it('falls with every chance of leaving, and is 0 for nobody', () => {
    const chance = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.tuple(chance, chance, chance), chance, (chances, less) => {
        const left = chances.toSorted((a, b) => a - b)
        const value = expectedYears({ horizonsDays, left, laterRisk: 0.001 }, 365, 0.05)
        const better = left.map((own) => own * less)
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
        expect(
          expectedYears({ horizonsDays, left: better, laterRisk: 0.001 }, 365, 0.05),
        ).toBeGreaterThanOrEqual(value - 1e-9)
      }),
    )
  })
})

describe('the years kept, in predictions and scenarios alike', () => {
  const discount = Math.log(1.08) / 365
  it('are those of a risk that goes on evenly, discounted', () => {
    const rate = 0.002 + discount
    const churn = { horizonsDays, left: evenly(0.002), laterRisk: null, isAbsence: false }
    expect(keptYears(churn, 365, 0.08)).toBeCloseTo((1 - Math.exp(-rate * 365)) / (rate * 365), 12)
  })
  it('are at stake as a whole where churn is an absence, whose chance falls with the horizon', () => {
    const churn = { horizonsDays, left: [0.5, 0.3, 0.2], laterRisk: null, isAbsence: true }
    expect(keptYears(churn, 365, 0)).toBeCloseTo(0.8, 12)
    expect(keptYears(churn, 365, 0.08)).toBeCloseTo((0.8 * (1 - 1 / 1.08)) / Math.log(1.08), 12)
  })
})
