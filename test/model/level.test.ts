import { describe, expect, it } from 'vitest'
import { levelShift, lossAtOwnLevel } from '../../src/model/level.ts'
import { logistic } from './simulated.ts'

describe('the level of hazards', () => {
  const units = {
    logit: Float64Array.of(-2, 1),
    happened: Float64Array.of(0, 1),
    weight: Float64Array.of(1, 3),
  }

  it('is moved to the weighted share that happened', () => {
    const shift = levelShift(units)
    expect((logistic(-2 + shift) + 3 * logistic(1 + shift)) / 4).toBeCloseTo(0.75, 5)
  })

  it('is moved less where it is believed to be right', () => {
    const [free, held] = [levelShift(units), levelShift(units, 0.5)]
    expect(Math.abs(held)).toBeLessThan(0.8 * Math.abs(free))
    expect(held * free).toBeGreaterThan(0)
  })

  it('is finite where all happened', () => {
    expect(levelShift({ ...units, happened: Float64Array.of(1, 1) }, 5)).toBeLessThan(15)
  })
})

describe('loss at the level that labels have', () => {
  const labels = {
    name: 'churn',
    intervals: 1,
    happened: Uint8Array.of(0, 0, 1, 0, 1, 1),
    known: Uint8Array.of(1, 1, 1, 1, 1, 0),
    weight: Float32Array.of(1, 1, 1, 1, 2, 1),
  }
  const said = [-3, -2, -1, -2, 1, 9]
  const loss = (logits: readonly number[]) => lossAtOwnLevel(labels, logits.map(logistic))

  it('is the same wherever all logits are moved to, and whatever is said of labels that are not known', () => {
    expect(loss(said.map((x) => x + 2))).toBeCloseTo(loss(said), 3)
    expect(loss([...said.slice(0, 5), -9])).toBe(loss(said))
  })

  it('is less where rows are told apart', () => {
    expect(loss(said)).toBeLessThan(loss(said.map(() => -1)) - 1)
    expect(loss(said.map((x) => -x))).toBeGreaterThan(loss(said.map(() => -1)) + 1)
  })
})
