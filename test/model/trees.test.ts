import { describe, expect, it } from 'vitest'
import type { HazardLabels, LearningSet, Member, MemberOutput, StoredMember } from '../../src/model/member.ts'
import { curvatureOf, gradientOf, packSlopes } from '../../src/model/packed-slopes.ts'
import { pickTask } from '../../src/model/single-task.ts'
import { binOf, binRows, fitBins } from '../../src/model/tree-bins.ts'
import { fitTrees, joinTrees, restoreTrees } from '../../src/model/trees-member.ts'
import {
  answersOf,
  type Chance,
  chanceOf,
  drawEvents,
  drawScores,
  logistic,
  ordinalTruth,
} from './simulated.ts'

/** Number with an interaction, number whose absence tells, five categories of which two are alike, noise. */
const categories = [0, 0, 0, 5, 0]
const columns = categories.length

function drawFeatures(rows: number, chance: Chance): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const column = at % columns
    if (column === 2 && chance.uniform() < 0.3) return Number.NaN
    return column === 3 ? Math.floor(chance.uniform() * 5) : chance.normal()
  })
}

function location(values: Float32Array, row: number): number {
  const [a, b, maybe, category] = values.subarray(row * columns)
  return (
    (a > 0 === b > 0 ? 1 : -1) + (Number.isNaN(maybe) ? 1.5 : 0) + (category === 1 || category === 4 ? 1 : 0)
  )
}

interface World extends LearningSet {
  /** [rows × 3] and [rows × 11] */
  readonly hazards: Float64Array
  readonly distributions: Float64Array
}

/** The event comes sooner in the first interval than later; answers fall with the lead. */
function simulate(rows: number, seed: number): World {
  const chance = chanceOf(seed)
  const values = drawFeatures(rows, chance)
  const hazards = Float64Array.from({ length: rows * 3 }, (_, at) =>
    logistic(location(values, Math.floor(at / 3)) - 2 - (at % 3) / 2),
  )
  const leadDays = Float32Array.from({ length: rows }, () => 30 * Math.floor(chance.uniform() * 4))
  const distributions = ordinalTruth(
    Array.from({ length: rows }, (_, row) => location(values, row) - leadDays[row] / 90),
  )
  return {
    features: { rows, columns, values },
    customer: Int32Array.from({ length: rows }, (_, row) => row),
    outcomes: [drawEvents(hazards, { intervals: 3, chance, censoredShare: 0.3 })],
    answers: answersOf(drawScores(distributions, chance), leadDays),
    hazards,
    distributions,
  }
}

/** Log loss of what was said less that of the true chances, by known interval. */
function excessLoss(said: ArrayLike<number>, { hazards, outcomes: [{ known, happened }] }: World): number {
  let excess = 0
  let count = 0
  known.forEach((isKnown, at) => {
    if (isKnown === 0) return
    const likelihood = (p: number) => Math.log(happened[at] === 1 ? p : 1 - p)
    excess += likelihood(hazards[at]) - likelihood(said[at])
    count++
  })
  return excess / count
}

function excessAnswerLoss(said: ArrayLike<number>, { distributions, answers }: World): number {
  const scores = Array.from(answers?.score ?? [])
  const losses = scores.map((score, i) => Math.log(distributions[i * 11 + score] / said[i * 11 + score]))
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
}

const learning = simulate(6_000, 1)
const later = simulate(3_000, 2)
const unseen = simulate(3_000, 3)
const options = { categories, seed: 4, validation: later }
const member = fitTrees(learning, options)
const predict = (one: Member): MemberOutput =>
  one.predict(unseen.features, [unseen.answers?.leadDays as Float32Array])

describe('boosted trees', () => {
  it('find interactions, absence and categories: within .02 nats of the true hazards', () => {
    const { happened, known } = learning.outcomes[0]
    const rate = happened.reduce((sum, one) => sum + one, 0) / known.reduce((sum, one) => sum + one, 0)
    expect(excessLoss(predict(member).hazards[0], unseen)).toBeLessThan(0.02)
    expect(excessLoss(new Float64Array(unseen.hazards.length).fill(rate), unseen)).toBeGreaterThan(0.1)
  })

  it('know that hazards differ by interval', () => {
    const said = predict(member).hazards[0]
    const mean = (interval: number, of: ArrayLike<number>) =>
      Array.from(of).reduce((sum, p, at) => sum + (at % 3 === interval ? p : 0), 0) / unseen.features.rows
    for (const interval of [0, 1, 2]) {
      expect(Math.abs(mean(interval, said) - mean(interval, unseen.hazards))).toBeLessThan(0.02)
    }
  })

  it('tell answers within .05 nats of the true distributions, at every lead', () => {
    const [said] = predict(member).answers
    expect(excessAnswerLoss(said, unseen)).toBeLessThan(0.05)
    for (let row = 0; row < 20; row++) {
      const sum = said.subarray(row * 11, (row + 1) * 11).reduce((all, share) => all + share, 0)
      expect(sum).toBeCloseTo(1, 5)
    }
    const [now, ahead] = member.predict(unseen.features, [
      new Float32Array(unseen.features.rows),
      new Float32Array(unseen.features.rows).fill(90),
    ]).answers
    const expected = (of: Float32Array) =>
      of.reduce((sum, share, at) => sum + share * (at % 11), 0) / unseen.features.rows
    expect(expected(now)).toBeGreaterThan(expected(ahead) + 0.5)
  })

  it('give the same bytes again, stored and restored, and fitted task by task', () => {
    const said = predict(member)
    expect(predict(fitTrees(learning, options))).toEqual(said)
    expect(predict(restoreTrees(member.store()))).toEqual(said)
    const apart = [0, 1].map((index) => {
      const task = pickTask(learning, options, index)
      return fitTrees(task.learning, { ...options, ...task.options })
    })
    expect(predict(joinTrees(apart))).toEqual(said)
  })

  it('stop early where there is nothing to learn', () => {
    const chance = chanceOf(9)
    const noise = (set: World): World => ({
      ...set,
      features: { ...set.features, values: drawFeatures(set.features.rows, chance) },
      answers: null,
    })
    const { outcomes } = fitTrees(noise(learning), { ...options, validation: noise(later) }).choices
    expect(outcomes[0].rounds).toBeLessThan(15)
  })

  it('grow so many trees as were chosen, without validation', () => {
    const chosen = { outcomes: [{ temper: 'cautious' as const, telling: 900, rounds: 7 }], answers: null }
    const refit = fitTrees({ ...learning, answers: null }, { categories, seed: 4, chosen })
    expect(refit.choices).toEqual(chosen)
    expect(refit.trees.outcomes[0].forest.roots.length).toBe(7)
  })

  it('do not see rows without weight', () => {
    const doubled = (labels: HazardLabels): HazardLabels => ({
      ...labels,
      happened: Uint8Array.from([...labels.happened, ...labels.happened.map((one) => 1 - one)]),
      known: Uint8Array.from([...labels.known, ...labels.known]),
      weight: Float32Array.from([...labels.weight, ...labels.weight.map(() => 0)]),
    })
    const chosen = { outcomes: [{ temper: 'cautious' as const, telling: 900, rounds: 20 }], answers: null }
    const { rows, values } = learning.features
    const twice = {
      ...learning,
      features: { rows: 2 * rows, columns, values: Float32Array.from([...values, ...values]) },
      customer: Int32Array.from([...learning.customer, ...learning.customer]),
      outcomes: [doubled(learning.outcomes[0])],
      answers: null,
    }
    const [once, more] = [{ ...learning, answers: null }, twice].map((set) =>
      fitTrees(set, { categories, seed: 4, chosen }).predict(unseen.features, []),
    )
    const apart = once.hazards[0].map((p, at) => Math.abs(p - more.hazards[0][at]))
    // Random rounding of slopes differs; splits hardly do.
    expect(apart.reduce((sum, gap) => sum + gap, 0) / apart.length).toBeLessThan(0.005)
  })

  it('leave out the trees of tasks that do not use them, and say the same of the others', () => {
    const { keepTasks } = member
    const kept = keepTasks?.({ outcomes: [false], answers: true })
    expect(predict(kept!).answers).toEqual(predict(member).answers)
    const numbersOf = ({ arrays }: StoredMember) =>
      Object.values(arrays).reduce((sum, { length }) => sum + length, 0)
    const stored = kept!.store()
    expect(numbersOf(stored)).toBeLessThan(numbersOf(member.store()))
    expect(predict(restoreTrees(stored))).toEqual(predict(kept!))
  })

  it('say what is missing of a stored member', () => {
    const { arrays, ...rest } = member.store()
    const { outcome_0_left: _, ...others } = arrays
    expect(() => restoreTrees({ ...rest, arrays: others })).toThrow(/outcome_0_left is missing\. Train again/)
  })
})

describe('bins', () => {
  it('keep distinct values apart where they are few, and the missing one', () => {
    const raw = { rows: 6, columns: 1, values: Float32Array.of(1, 2, 2, 5, Number.NaN, 1) }
    const bins = fitBins(raw, [0])
    expect(Array.from(binRows(raw, bins).bins)).toEqual([1, 2, 2, 3, 0, 1])
    expect([-9, 1.4, 3.4, 99].map((value) => binOf(bins[0], value))).toEqual([1, 1, 2, 3])
  })

  it('hold parts of equal mass where values are many', () => {
    const rows = 20_000
    const values = Float32Array.from({ length: rows }, chanceOf(1).normal)
    const { bins, columns } = binRows(
      { rows, columns: 1, values },
      fitBins({ rows, columns: 1, values }, [0]),
    )
    const counts = new Int32Array(columns[0].count)
    for (const bin of bins) counts[bin]++
    expect(counts[0]).toBe(0)
    expect(Math.max(...counts)).toBeLessThan((1.6 * rows) / counts.length)
  })

  it('take an unknown category for a missing one', () => {
    const [column] = fitBins({ rows: 1, columns: 1, values: Float32Array.of(0) }, [3])
    expect([0, 2, 3, -1].map((value) => binOf(column, value))).toEqual([1, 3, 0, 0])
  })
})

describe('packed slopes', () => {
  const chance = chanceOf(5)
  const gradient = Float64Array.from({ length: 5_000 }, chance.normal)
  const curvature = Float64Array.from({ length: 5_000 }, chance.uniform)
  const { packed, gradientStep, curvatureStep } = packSlopes(gradient, curvature, {
    seed: 1,
    into: new Float64Array(5_000),
  })
  const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0)

  it('sum to the same number in every order', () => {
    expect(sum(packed.slice().reverse())).toBe(sum(packed))
    expect(sum(packed.slice().sort())).toBe(sum(packed))
  })

  it('sum to the sums of both, but for their rounding', () => {
    const total = sum(packed)
    expect(gradientOf(total) * gradientStep).toBeCloseTo(sum(gradient), 1)
    expect(curvatureOf(total) * curvatureStep).toBeCloseTo(sum(curvature), 1)
  })
})
