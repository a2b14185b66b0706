import { describe, expect, it } from 'vitest'
import { explainExactly } from '../../src/model/exact-drivers.ts'
import { at, pick, predictorOf } from './driver-world.ts'

const predictor = predictorOf(true)

describe('exact drivers', () => {
  it('add up to the difference from the others', () => {
    for (let row = 0; row < 20; row++) {
      const compared = { customer: pick(row, row + 1), others: pick(100, 130), seed: row }
      const [{ base, predicted, effects }] = explainExactly(predictor, compared)
      const sum = effects.reduce((total, { effect }) => total + effect, base)
      expect(sum).toBeCloseTo(predicted, 9)
      const { probabilities } = predictor.predict(pick(100, 130), []).outcomes[0]
      expect(base).toBeCloseTo(probabilities.reduce((total, p) => total + p, 0) / 30, 9)
    }
  })

  it('take all features of a behaviour together, and name the one that really moved it first', () => {
    let known = 0
    let found = 0
    for (let row = 0; row < 60; row++) {
      const pushes = { ticket: 1.2 * at(0, row) + 0.6 * at(1, row), login: -0.8 * at(2, row) }
      if (Math.abs(Math.abs(pushes.ticket) - Math.abs(pushes.login)) < 0.5) continue
      const truth = Math.abs(pushes.ticket) > Math.abs(pushes.login) ? 'ticket' : 'login'
      const compared = { customer: pick(row, row + 1), others: pick(100, 140), seed: 7 }
      const [{ effects }] = explainExactly(predictor, compared)
      expect(effects.map(({ behaviour }) => behaviour).sort()).toEqual(['login', 'noise', 'ticket'])
      known++
      if (effects[0].behaviour === truth) found++
    }
    expect(known).toBeGreaterThan(20)
    expect(found / known).toBeGreaterThan(0.9)
  })

  it('are the same again with their seed, and there are none for a base rate', () => {
    const compared = { customer: pick(0, 1), others: pick(100, 110), seed: 3 }
    expect(explainExactly(predictor, compared)).toEqual(explainExactly(predictor, compared))
    expect(explainExactly(predictorOf(false), compared)).toEqual([])
  })
})
