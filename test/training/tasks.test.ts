import { describe, expect, it } from 'vitest'
import type { Program } from '../../src/domain/program.ts'
import { fewestOutcomes, fewestResponses, planTasks } from '../../training/tasks.ts'
import { churn, madeDataset } from './made-dataset.ts'

const program = { outcomes: [churn], horizonsDays: [30, 60, 90] } as unknown as Program

/** So many customers with the event on a day, and as many without; known for so long. */
const dataset = (customers: number, { day = 10, known = 90, isPopulation = true } = {}) =>
  madeDataset(
    Array.from({ length: 2 * customers }, (_, customer) => ({
      customer,
      cutoff: 1000,
      event: customer % 2 ? day : Number.NaN,
      known,
      isPopulation,
    })),
  )

describe('a task', () => {
  it('needs customers with and without the event in the first horizon', () => {
    expect(planTasks(program, dataset(fewestOutcomes)).outcomes).toHaveLength(1)
    const { outcomes, skipped } = planTasks(program, dataset(fewestOutcomes - 3))
    expect(outcomes).toEqual([])
    expect(skipped.churn).toMatchObject({
      code: 'too_few_outcomes',
      words: expect.stringContaining('3 are missing'),
    })
  })
  it('counts customers, not rows, and only rows that stand for the population', () => {
    const few = madeDataset(
      Array.from({ length: 300 }, (_, row) => ({
        customer: row % 10,
        cutoff: 1000 + row,
        event: row % 2 ? 5 : Number.NaN,
        known: 90,
      })),
    )
    expect(planTasks(program, few).skipped.churn.code).toBe('too_few_outcomes')
    expect(planTasks(program, dataset(100, { isPopulation: false })).skipped.churn.code).toBe('not_observed')
  })
  it('says what is missing: the type, the observation, the event', () => {
    expect(planTasks(program, madeDataset([{ customer: 0, cutoff: 1000 }])).skipped.churn.code).toBe(
      'never_occurs',
    )
    expect(planTasks(program, dataset(100, { known: 29 })).skipped.churn.code).toBe('not_observed')
    expect(planTasks(program, dataset(100, { day: Number.NaN })).skipped.churn.code).toBe('never_occurs')
  })
  it('learns only the leading horizons that were observed', () => {
    const { outcomes, skipped } = planTasks(program, dataset(100, { known: 59 }))
    expect(outcomes[0].intervals).toBe(1)
    expect(Object.keys(skipped)).toEqual(['churn_60', 'churn_90', 'nps'])
  })
  it('of answers needs enough of them, however often each is used', () => {
    const answersOf = (count: number) => {
      const uses = Array.from({ length: 2 * count }, (_, use) => use)
      return {
        row: Int32Array.from(uses, () => 0),
        leadDays: new Float32Array(uses.length),
        score: new Uint8Array(uses.length),
        answer: Int32Array.from(uses, (use) => Math.floor(use / 2)),
        surveyWeight: new Float32Array(uses.length).fill(1),
      }
    }
    const plan = (count: number) =>
      planTasks(program, madeDataset([{ customer: 0, cutoff: 1 }], { answers: answersOf(count) }))
    expect(plan(fewestResponses).hasAnswers).toBe(true)
    expect(plan(fewestResponses - 1).skipped.nps).toMatchObject({ code: 'too_few_responses' })
    expect(planTasks(program, madeDataset([])).skipped.nps.code).toBe('no_responses')
  })
})
