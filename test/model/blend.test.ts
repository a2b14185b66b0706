import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  blendAnswers,
  blendHazards,
  cumulativeFromHazards,
  fitAnswerBlend,
  fitOutcomeBlend,
  hazardsFromCumulative,
} from '../../src/model/blend.ts'
import { chanceOf, drawEvents, drawScores, logistic, ordinalTruth } from './simulated.ts'

const hazard = fc.double({ min: 0.001, max: 0.999, noNaN: true })
const hazardRows = fc.array(fc.tuple(hazard, hazard, hazard), { minLength: 1, maxLength: 5 })

describe('hazards and cumulative probabilities', () => {
  it('are each other’s inverse, and cumulative ones never fall', () => {
    fc.assert(
      fc.property(hazardRows, (rows) => {
        const cumulative = cumulativeFromHazards(rows.flat(), 3)
        cumulative.forEach((p, i) => {
          expect(p).toBeLessThanOrEqual(1)
          if (i % 3 > 0) expect(p).toBeGreaterThanOrEqual(cumulative[i - 1])
        })
        hazardsFromCumulative(cumulative, 3).forEach((h, i) => {
          expect(h).toBeCloseTo(rows.flat()[i], 5)
        })
      }),
    )
  })

  it('blend to cumulative probabilities between those of the members', () => {
    fc.assert(
      fc.property(hazardRows, hazard, (rows, share) => {
        const one = rows.flat()
        const other = one.map((h) => 1 - h)
        const mixed = cumulativeFromHazards(blendHazards([one, other], [share, 1 - share], 3), 3)
        const [a, b] = [cumulativeFromHazards(one, 3), cumulativeFromHazards(other, 3)]
        mixed.forEach((p, i) => {
          expect(p).toBeCloseTo(share * a[i] + (1 - share) * b[i], 4)
          if (i % 3 > 0) expect(p).toBeGreaterThanOrEqual(mixed[i - 1])
        })
      }),
    )
  })
})

/** True hazards of rows with one feature each, and two members that see it well and badly. */
function world(rows: number, seed: number) {
  const chance = chanceOf(seed)
  const signal = Array.from({ length: rows }, chance.normal)
  const hazardsWith = (see: (x: number) => number) =>
    Float64Array.from({ length: rows * 3 }, (_, i) => logistic(-1.5 + see(signal[Math.floor(i / 3)])))
  const truth = hazardsWith((x) => 1.5 * x)
  const noise = signal.map(() => 1.5 * chance.normal())
  const blind = Float64Array.from({ length: rows * 3 }, (_, i) => logistic(-1.5 + noise[Math.floor(i / 3)]))
  return { chance, truth, blind, labels: drawEvents(truth, { intervals: 3, chance, censoredShare: 0.3 }) }
}

describe('weights of a blend for outcomes', () => {
  it('drop a member that only adds noise', () => {
    const { truth, blind, labels } = world(3000, 1)
    expect(fitOutcomeBlend([truth, blind], labels)).toEqual([1, 0])
  })

  it('recover the shares of a true mixture', () => {
    const rows = 20_000
    const chance = chanceOf(2)
    const early = Float64Array.from({ length: rows * 3 }, (_, i) => (i % 3 === 0 ? 0.6 : 0.05))
    const late = Float64Array.from({ length: rows * 3 }, (_, i) => (i % 3 === 2 ? 0.6 : 0.05))
    const mixed = blendHazards([early, late], [0.3, 0.7], 3)
    const [share] = fitOutcomeBlend([early, late], drawEvents(mixed, { intervals: 3, chance }))
    expect(Math.abs(share - 0.3)).toBeLessThan(0.03)
  })

  it('stay near equal with a handful of labels', () => {
    const { truth, blind, labels } = world(12, 3)
    for (const share of fitOutcomeBlend([truth, blind], labels)) expect(share).toBeGreaterThan(0.25)
  })

  it('count a customer’s repeated rows once', () => {
    const { truth, blind, labels } = world(15, 4)
    const repeat = <T>(values: ArrayLike<T>) => Array.from({ length: 20 }, () => Array.from(values)).flat()
    const many = {
      ...labels,
      happened: Uint8Array.from(repeat(labels.happened)),
      known: Uint8Array.from(repeat(labels.known)),
      weight: Float32Array.from(repeat(labels.weight)),
    }
    const once = fitOutcomeBlend([truth, blind], labels)
    const customer = Int32Array.from({ length: 300 }, (_, row) => row % 15)
    const grouped = fitOutcomeBlend([repeat(truth), repeat(blind)], many, { customer })
    expect(grouped[0]).toBeCloseTo(once[0], 4)
    expect(fitOutcomeBlend([repeat(truth), repeat(blind)], many)[0]).toBeGreaterThan(once[0])
  })

  it('lie on the simplex whatever the members say', () => {
    fc.assert(
      fc.property(hazardRows, fc.integer({ min: 1, max: 4 }), fc.integer(), (rows, members, seed) => {
        const chance = chanceOf(seed)
        const labels = drawEvents(rows.flat(), { intervals: 3, chance })
        const said = Array.from({ length: members }, () => rows.flat().map(chance.uniform))
        const weights = fitOutcomeBlend(said, labels)
        for (const weight of weights) expect(weight).toBeGreaterThanOrEqual(0)
        expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
      }),
      { numRuns: 50 },
    )
  })

  it('are equal where nothing is known', () => {
    const { truth, blind, labels } = world(5, 5)
    expect(fitOutcomeBlend([truth, blind], { ...labels, known: new Uint8Array(15) })).toEqual([0.5, 0.5])
  })
})

describe('weights of a blend for answers', () => {
  const chance = chanceOf(6)
  const locations = Array.from({ length: 4000 }, chance.normal)
  const truth = ordinalTruth(locations)
  const base = ordinalTruth(locations.map(() => 0))
  const score = drawScores(truth, chance)

  it('prefer the member that knows more', () => {
    const weight = new Float32Array(score.length).fill(1)
    const weights = fitAnswerBlend([base, truth], { score, weight })
    expect(weights[1]).toBeGreaterThan(0.9)
  })

  it('mix to distributions', () => {
    const mixed = blendAnswers([base, truth], [0.25, 0.75])
    for (let row = 0; row < 20; row++) {
      expect(mixed.subarray(row * 11, row * 11 + 11).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
    }
    expect(mixed[3]).toBeCloseTo(0.25 * base[3] + 0.75 * truth[3], 6)
  })
})
