import { describe, expect, it } from 'vitest'
import { comparedCustomers, DriverReader } from '../../src/model/drivers.ts'
import { explainExactly } from '../../src/model/exact-drivers.ts'
import { explainedTasks } from '../../src/model/explained-tasks.ts'
import { Predictor } from '../../src/model/predictor.ts'
import { explainParts } from '../../training/surrogates.ts'
import { frame, pick, predictorOf } from '../model/driver-world.ts'

const plain = predictorOf(true).parts
const { parts, drivers } = explainParts(plain, frame)
const predictor = new Predictor({ ...plain, ...parts })

describe('additive drivers of a version', () => {
  it('agree with the exact ones on the first', () => {
    const customers = pick(0, 80)
    const predictions = predictor.predict(customers, [0])
    const reader = new DriverReader(predictor.parts, customers, predictions.views.of('piecewise'))
    const [task] = explainedTasks(predictions)
    const others = comparedCustomers(predictor, pick(100, 140)).get('churn') ?? []
    let agreed = 0
    for (let row = 0; row < customers.rows; row++) {
      const compared = { customer: pick(row, row + 1), others: pick(100, 140), seed: row }
      const [{ effects }] = explainExactly(predictor, compared)
      if (reader.explain(task, row, others)?.terms[0].behaviour === effects[0].behaviour) agreed++
    }
    expect(agreed / customers.rows).toBeGreaterThanOrEqual(0.9)
  })

  it('say how much of the predictions they explain', () => {
    expect(parts.outcomes[0].surrogate?.explained).toBeGreaterThan(0.9)
    expect(parts.outcomes[0].surrogate?.explained).toBeLessThanOrEqual(1)
  })

  it('add up to what moves everybody: the behaviours that matter first, and which way', () => {
    const [{ task, unit, behaviours }] = drivers
    expect([task, unit]).toEqual(['churn', 'probability'])
    expect(behaviours.map(({ behaviour }) => behaviour)).toEqual(['ticket', 'login', 'noise'])
    expect(behaviours.map(({ direction }) => direction).slice(0, 2)).toEqual(['raises', 'lowers'])
    const [ticket, login, noise] = behaviours.map(({ effect }) => effect)
    expect(ticket).toBeGreaterThan(login)
    expect(login).toBeGreaterThan(5 * noise)
    expect(behaviours[0]).toMatchObject({ feature: 'ticket_30', words: 'ticket_30' })
  })

  it('are none for a base rate', () => {
    const explained = explainParts(predictorOf(false).parts, frame)
    expect(explained.drivers).toEqual([])
    expect(explained.parts.outcomes[0].surrogate).toBeNull()
  })
})
