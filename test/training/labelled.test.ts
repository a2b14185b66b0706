import { describe, expect, it } from 'vitest'
import type { Program } from '../../src/domain/program.ts'
import { pickFrame } from '../../src/features/features.ts'
import type { AnswerDays } from '../../training/dataset.ts'
import { labelBlock, pickLabelled } from '../../training/labelled.ts'
import { wholeBlock } from '../../training/splits.ts'
import { planTasks } from '../../training/tasks.ts'
import { churn, madeDataset } from './made-dataset.ts'

const horizonsDays = [30, 60, 90]
const program = { outcomes: [churn], horizonsDays } as unknown as Program

/** 60 customers who answer on day 1100, used with lead 0 at 1099 and lead 30 at 1069; the events of half are known. */
const rows = Array.from({ length: 60 }, (_, customer) => [
  { customer, cutoff: 1069, event: customer % 2 ? 20 : 70, known: 100, features: { x: customer } },
  { customer, cutoff: 1099, event: customer % 2 ? Number.NaN : 40, known: 70, isPopulation: customer < 50 },
]).flat()
const uses = rows.map((_, row) => row)
const answers: AnswerDays = {
  row: Int32Array.from(uses),
  leadDays: Float32Array.from(uses, (row) => (row % 2 ? 0 : 30)),
  score: Uint8Array.from(uses, (row) => Math.floor(row / 2) % 11),
  answer: Int32Array.from(uses, (row) => Math.floor(row / 2)),
  surveyWeight: new Float32Array(rows.length).fill(1),
}
const dataset = madeDataset(rows, { answers })
const planned = planTasks(program, dataset)
/** Two of the three horizons: labels follow the task, not the program. */
const tasks = { ...planned, outcomes: planned.outcomes.map((task) => ({ ...task, intervals: 2 })) }

describe('labels of a block', () => {
  it('leave outcomes of rows out that only an answer brought', () => {
    const { rows: kept, outcomes } = labelBlock(dataset, wholeBlock(dataset, 1200), { tasks, horizonsDays })
    expect(kept).toHaveLength(120)
    const knownAt = (row: number) => [...outcomes[0].known.subarray(row * 2, row * 2 + 2)]
    expect(knownAt(0)).toEqual([1, 1])
    expect(knownAt(1)).toEqual([1, 1])
    expect(knownAt(2)).toEqual([1, 0])
    expect(knownAt(119)).toEqual([0, 0])
  })

  it('let all uses of an answer weigh 1 together, in each block', () => {
    const whole = labelBlock(dataset, wholeBlock(dataset, 1200), { tasks, horizonsDays })
    expect(new Set(whole.answers?.weight)).toEqual(new Set([0.5]))
    const later = Int32Array.from(uses.filter((row) => row % 2 === 1))
    const one = labelBlock(dataset, { rows: later, censoredAfter: 1200 }, { tasks, horizonsDays })
    expect(new Set(one.answers?.weight)).toEqual(new Set([1]))
  })

  it('let an answer count for what it stands for: its uses share what members learn with', () => {
    const numbers = Float32Array.from({ length: 60 }, (_, answer) => 1 + answer)
    const answerWeights = { level: numbers, learning: numbers.map(Math.sqrt) }
    const labelled = labelBlock(dataset, wholeBlock(dataset, 1200), { tasks, horizonsDays, answerWeights })
    const picked = pickLabelled(labelled, Int32Array.from([14, 15]))
    expect([...(labelled.answers?.answerWeight.subarray(0, 4) ?? [])]).toEqual([1, 1, 2, 2])
    expect(labelled.answers?.weight[6]).toBeCloseTo(Math.sqrt(4) / 2, 6)
    expect([...(picked.answers?.answerWeight ?? [])]).toEqual([8, 8])
  })

  it('know an answer only once its day is over', () => {
    const at = (censoredAfter: number) =>
      labelBlock(dataset, { rows: Int32Array.from(uses), censoredAfter }, { tasks, horizonsDays })
    expect(at(1099).answers).toBeNull()
    expect(at(1100).answers?.row).toHaveLength(120)
    expect(at(1098).rows).toHaveLength(0)
    expect(at(1099).rows).toHaveLength(60)
  })

  it('stay with their rows when some are picked', () => {
    const whole = labelBlock(dataset, wholeBlock(dataset, 1200), { tasks, horizonsDays })
    const picked = pickLabelled(whole, Int32Array.from([3, 4]))
    expect([...picked.rows]).toEqual([3, 4])
    expect([...picked.customer]).toEqual([1, 2])
    expect([...(picked.answers?.row ?? [])]).toEqual([0, 1])
    expect([...(picked.answers?.score ?? [])]).toEqual([1, 2])
    expect([...picked.outcomes[0].known]).toEqual([1, 1, 1, 1])
    const frame = pickFrame(dataset.frame, Int32Array.from([4, 0]))
    expect([...frame.columns[0]]).toEqual([2, 0])
  })
})
