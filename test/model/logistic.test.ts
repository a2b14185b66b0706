import { describe, expect, it } from 'vitest'
import { foldsByCustomer } from '../../src/model/folds.ts'
import { minimise } from '../../src/model/lbfgs.ts'
import { linearDesign } from '../../src/model/linear-design.ts'
import { fitHazards } from '../../src/model/logistic.ts'
import { fitLogistic, joinTasks, restoreLogistic } from '../../src/model/logistic-member.ts'
import type { HazardLabels, LearningSet } from '../../src/model/member.ts'
import { pickTask } from '../../src/model/single-task.ts'
import {
  answersOf,
  chanceOf,
  drawEvents,
  drawScores,
  logistic,
  normalMatrix,
  ordinalTruth,
} from './simulated.ts'

/** The 60 rows that scikit-learn was fitted on for reference. */
function referenceRows(): {
  design: ReturnType<typeof linearDesign>
  labels: HazardLabels
  rows: Int32Array
} {
  const values: number[] = []
  const happened: number[] = []
  for (let i = 0; i < 60; i++) {
    const a = ((i * 7919) % 101) / 50 - 1
    const b = ((i * 104729) % 97) / 48 - 1
    values.push(a, b, i % 5 === 0 ? 1 : 0)
    happened.push(((i * 31) % 17) / 17 < logistic(a * 1.5 - b - 0.3) ? 1 : 0)
  }
  const design = linearDesign({ rows: 60, columns: 3, values: Float32Array.from(values) })
  const labels = {
    name: 'churn',
    intervals: 1,
    happened: Uint8Array.from(happened),
    known: new Uint8Array(60).fill(1),
    weight: new Float32Array(60).fill(1),
  }
  return { design, labels, rows: Int32Array.from({ length: 60 }, (_, i) => i) }
}

/** Two signals and two noise columns; the second signal fades from interval to interval. */
function simulate(rows: number, seed: number): LearningSet {
  const chance = chanceOf(seed)
  const features = normalMatrix(rows, 4, chance)
  const hazards = Float64Array.from({ length: rows * 3 }, (_, i) => {
    const [a, b] = features.values.subarray(Math.floor(i / 3) * 4)
    return logistic(-1.5 + a - (b * (3 - (i % 3))) / 3)
  })
  const leadDays = Float32Array.from({ length: rows }, () => Math.floor(chance.uniform() * 91))
  const truth = ordinalTruth(
    Array.from({ length: rows }, (_, row) => {
      const [a, b] = features.values.subarray(row * 4)
      return 0.8 * a - 0.5 * b - (leadDays[row] / 90) * (0.6 + 0.4 * a)
    }),
  )
  return {
    features,
    customer: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / 2)),
    outcomes: [drawEvents(hazards, { intervals: 3, chance, censoredShare: 0.3 })],
    answers: answersOf(drawScores(truth, chance), leadDays),
  }
}

describe('L-BFGS', () => {
  it('finds the bottom of a badly scaled bowl', () => {
    const found = minimise((x, gradient) => {
      let value = 0
      x.forEach((at, i) => {
        gradient[i] = 2 * 10 ** i * (at - i)
        value += 10 ** i * (at - i) ** 2
      })
      return value
    }, new Float64Array(5))
    found.parameters.forEach((at, i) => {
      expect(at).toBeCloseTo(i, 6)
    })
  })

  it('stays inside the domain of a function that is infinite outside', () => {
    const found = minimise(([x], gradient) => {
      gradient[0] = 1 - 1 / x
      return x > 0 ? x - Math.log(x) : Number.POSITIVE_INFINITY
    }, Float64Array.of(50))
    expect(found.parameters[0]).toBeCloseTo(1, 5)
  })
})

describe('logistic hazards', () => {
  it.each([
    [0.1, [1.232993, -0.570958, 0.37933], -0.17112],
    [0.01, [2.31104, -0.963188, 1.296329], -0.398895],
  ])('agree with scikit-learn at penalty %d', (penalty, weights, intercept) => {
    const { design, labels, rows } = referenceRows()
    const { model } = fitHazards(design, { labels, rows }, { penalty, deviation: 0 })
    weights.forEach((weight, c) => {
      expect(model.weights[c]).toBeCloseTo(weight, 3)
    })
    expect(model.intercepts[0]).toBeCloseTo(intercept, 3)
  })

  it('do not change when all weights are multiplied', () => {
    const { design, labels, rows } = referenceRows()
    const heavy = { ...labels, weight: labels.weight.map((w) => w * 50) }
    const options = { penalty: 0.01, deviation: 0 }
    const once = fitHazards(design, { labels, rows }, options)
    const often = fitHazards(design, { labels: heavy, rows }, options)
    expect(often.model.weights[0]).toBeCloseTo(once.model.weights[0], 4)
  })

  it('learn the same from columns with and without many zeros skipped', () => {
    const { design, labels, rows } = referenceRows()
    const wide = new Float32Array(60 * 12)
    for (let row = 0; row < 60; row++)
      wide.set(design.features.values.subarray(row * 3, row * 3 + 3), row * 12)
    const sparse = linearDesign({ rows: 60, columns: 12, values: wide })
    expect(sparse.nonZero).not.toBeNull()
    expect(design.nonZero).toBeNull()
    const options = { penalty: 0.01, deviation: 0 }
    const narrow = fitHazards(design, { labels, rows }, options).model
    const padded = fitHazards(sparse, { labels, rows }, options).model
    expect(Array.from(padded.weights.subarray(0, 3))).toEqual(Array.from(narrow.weights))
    expect(Array.from(padded.weights.subarray(3))).toEqual(new Array(9).fill(0))
  })

  it('stay finite where an interval has no event', () => {
    const { design, labels, rows } = referenceRows()
    const quiet = { ...labels, happened: new Uint8Array(60) }
    const { model } = fitHazards(design, { labels: quiet, rows }, { penalty: 0.01, deviation: 0 })
    const hazard = logistic(model.intercepts[0])
    expect(hazard).toBeGreaterThan(0)
    expect(hazard).toBeLessThan(0.02)
  })

  it('refuse a missing number', () => {
    const values = Float32Array.of(1, 2, Number.NaN, 4)
    expect(() => linearDesign({ rows: 2, columns: 2, values })).toThrow('column 0')
  })
})

describe('the logistic member', () => {
  const learning = simulate(6000, 1)
  const member = fitLogistic(learning, { seed: 1 })

  it('recovers the weights of simulated hazards, also where they fade', () => {
    const { weights, intercepts } = member.outcomes[0].model
    for (let j = 0; j < 3; j++) {
      expect(weights[j * 4]).toBeCloseTo(1, 0)
      expect(Math.abs(weights[j * 4] - 1)).toBeLessThan(0.2)
      expect(Math.abs(weights[j * 4 + 1] + (3 - j) / 3)).toBeLessThan(0.2)
      expect(Math.abs(weights[j * 4 + 2])).toBeLessThan(0.15)
      expect(Math.abs(intercepts[j] + 1.5)).toBeLessThan(0.15)
    }
  })

  it('recovers location, drift and thresholds of simulated answers', () => {
    const { weights, drift, driftIntercept, thresholds } = member.answers!
    expect(Math.abs(weights[0] - 0.8)).toBeLessThan(0.12)
    expect(Math.abs(weights[1] + 0.5)).toBeLessThan(0.12)
    expect(Math.abs(drift[0] + 0.4)).toBeLessThan(0.2)
    expect(Math.abs(driftIntercept + 0.6)).toBeLessThan(0.2)
    thresholds.forEach((threshold, j) => {
      expect(Math.abs(threshold - (-3 + j / 2))).toBeLessThan(0.2)
    })
  })

  it('says hazards inside (0, 1) and distributions that sum to 1', () => {
    const extreme = { rows: 2, columns: 4, values: Float32Array.of(60, -60, 0, 0, -60, 60, 0, 0) }
    const { hazards, answers } = member.predict(extreme, [Float32Array.of(0, 90), Float32Array.of(30, 60)])
    for (const hazard of hazards[0]) expect(hazard > 0 && hazard < 1).toBe(true)
    expect(answers).toHaveLength(2)
    for (const set of answers) {
      for (const from of [0, 11]) {
        expect(set.subarray(from, from + 11).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
      }
      for (const share of set) expect(share).toBeGreaterThan(0)
    }
  })

  it('predicts the same to the bit once stored and restored', () => {
    const stored = member.store()
    const description = JSON.parse(JSON.stringify(stored.description))
    const leads = [new Float32Array(learning.features.rows).fill(30)]
    const again = restoreLogistic({ ...stored, description })
    expect(again.predict(learning.features, leads)).toEqual(member.predict(learning.features, leads))
    expect(again.penalties).toEqual(member.penalties)
    expect(() => restoreLogistic({ ...stored, arrays: {} })).toThrow('outcome_0_weights')
  })

  it('looks at nothing for tasks that do not use it, and says the same of the others', () => {
    const leads = [new Float32Array(learning.features.rows).fill(30)]
    const said = member.predict(learning.features, leads)
    const kept = member.keepTasks?.({ outcomes: [false], answers: true })
    const stored = kept!.store()
    expect(stored.arrays.outcome_0_weights).toHaveLength(0)
    expect(restoreLogistic(stored).predict(learning.features, leads).answers).toEqual(said.answers)
    const others = member.keepTasks?.({ outcomes: [true], answers: false })
    expect(restoreLogistic(others!.store()).predict(learning.features, leads).hazards).toEqual(said.hazards)
  })

  it('uses given penalties for a refit', () => {
    const refit = fitLogistic(learning, { seed: 1, chosen: member.penalties })
    expect(refit.penalties).toEqual(member.penalties)
    refit.outcomes[0].model.weights.forEach((weight, i) => {
      expect(Math.abs(weight - member.outcomes[0].model.weights[i])).toBeLessThan(0.02)
    })
  })

  it('repeats exactly with its seed', () => {
    expect(fitLogistic(learning, { seed: 1 }).store()).toEqual(member.store())
  })

  it('chooses a heavy penalty where there is nothing to learn', () => {
    const noise = simulate(300, 2)
    const chance = chanceOf(3)
    const outcomes = [drawEvents(new Float64Array(300).fill(0.3), { intervals: 1, chance })]
    const features = normalMatrix(300, 40, chance)
    const fitted = fitLogistic({ ...noise, features, outcomes, answers: null }, { seed: 1 })
    expect(fitted.penalties.outcomes[0]).toBeGreaterThanOrEqual(0.1)
    expect(fitted.answers).toBeNull()
  })

  it('chooses on later data where given, and reports its progress', () => {
    const steps: number[] = []
    const options = { seed: 1, validation: simulate(1000, 4), onProgress: (done: number) => steps.push(done) }
    const { penalties } = fitLogistic(learning, options)
    expect(penalties.outcomes[0]).toBeLessThanOrEqual(0.03)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
    expect(steps.at(-1)).toBe(1)
  })
})

describe('folds by customer', () => {
  it('hold every row out once and never part a customer', () => {
    const customer = Int32Array.from({ length: 100 }, (_, row) => (row * 7) % 23)
    const folds = foldsByCustomer(customer, 5, 1)
    expect(folds.flatMap(({ test }) => Array.from(test)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, row) => row),
    )
    for (const { train, test } of folds) {
      const learned = new Set(Array.from(train, (row) => customer[row]))
      expect(Array.from(test).some((row) => learned.has(customer[row]))).toBe(false)
    }
  })
})

describe('tasks fitted side by side', () => {
  it('join to the member that learns them one after the other', () => {
    const one = simulate(600, 5)
    const other = simulate(600, 6)
    const answers = answersOf(
      Uint8Array.from({ length: 600 }, (_, i) => (i * 7) % 11),
      new Float32Array(600),
    )
    const learning = { ...one, outcomes: [...one.outcomes, ...other.outcomes], answers }
    const options = { seed: 3, grid: [0.1, 0.01] }
    const whole = fitLogistic(learning, options)
    const parts = [0, 1, 2].map((index) => {
      const task = pickTask(learning, { ...options, chosen: whole.penalties }, index)
      return fitLogistic(task.learning, task.options)
    })
    const again = fitLogistic(learning, { ...options, chosen: whole.penalties })
    expect(joinTasks(parts).store()).toEqual(again.store())
  })
})
