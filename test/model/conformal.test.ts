import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerInterval, fitConformal, nestedInterval } from '../../src/model/conformal.ts'
import { answersOf, chanceOf, drawScores, ordinalTruth } from './simulated.ts'

const distribution = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 11, maxLength: 11 })
  .filter((own) => own.some((share) => share > 0))
  .map((own) => own.map((share) => share / own.reduce((a, b) => a + b, 0)))
const level = fc.double({ min: 0, max: 1, noNaN: true })

describe('intervals of the answer', () => {
  it('are nested: a higher level never gives less', () => {
    fc.assert(
      fc.property(distribution, level, level, (own, a, b) => {
        const [narrow, wide] = [nestedInterval(own, Math.min(a, b)), nestedInterval(own, Math.max(a, b))]
        expect(wide[0]).toBeLessThanOrEqual(narrow[0])
        expect(wide[1]).toBeGreaterThanOrEqual(narrow[1])
      }),
    )
  })

  it('hold the likeliest answer and at least the mass asked for', () => {
    fc.assert(
      fc.property(distribution, level, (own, wanted) => {
        const [low, high] = nestedInterval(own, wanted)
        const likeliest = own.indexOf(Math.max(...own))
        expect(low <= likeliest && likeliest <= high).toBe(true)
        const mass = own.slice(low, high + 1).reduce((a, b) => a + b, 0)
        expect(mass).toBeGreaterThanOrEqual(Math.min(wanted, 1) - 1e-9)
      }),
    )
  })
})

/** Coverage on fresh answers after fitting on others, said distributions being those of `said`. */
function coverage(seed: number, said: (location: number) => number, count = 1500): number {
  const chance = chanceOf(seed)
  const locations = Array.from({ length: 2 * count }, () => -0.5 + 1.5 * chance.normal())
  const distributions = ordinalTruth(locations.map(said))
  const score = drawScores(ordinalTruth(locations), chance)
  const levels = fitConformal(
    distributions.subarray(0, count * 11),
    answersOf(score.subarray(0, count), new Float32Array(count)),
  )
  let held = 0
  for (let i = count; i < 2 * count; i++) {
    const [low, high] = answerInterval(distributions.subarray(i * 11, i * 11 + 11), levels)
    if (low <= score[i] && score[i] <= high) held++
  }
  return held / count
}

describe('conformal levels', () => {
  it.each([1, 2, 3])('hold about 80%% of answers of a good predictor (seed %i)', (seed) => {
    const held = coverage(seed, (location) => location)
    expect(held).toBeGreaterThan(0.77)
    expect(held).toBeLessThan(0.83)
  })

  it.each([1, 2, 3])(
    'hold about 80%% also where distributions are too narrow or shifted (seed %i)',
    (seed) => {
      const held = coverage(seed, (location) => 2 * location + 0.5)
      expect(held).toBeGreaterThan(0.77)
      expect(held).toBeLessThan(0.83)
    },
  )

  it('come as near to 80% as lumps allow where everybody gets the same distribution', () => {
    const held = coverage(4, () => -0.5)
    expect(held).toBeGreaterThan(0.75)
    expect(held).toBeLessThan(0.9)
  })

  it('give a class its own level only from 100 answers', () => {
    const chance = chanceOf(5)
    const few = ordinalTruth(Array.from({ length: 60 }, () => -2))
    const many = ordinalTruth(Array.from({ length: 200 }, () => 3 + chance.normal() / 4))
    const distributions = Float64Array.from([...few, ...many])
    const answers = answersOf(drawScores(distributions, chance), new Float32Array(260))
    const levels = fitConformal(distributions, answers)
    expect(Object.keys(levels.byClass)).toEqual(['promoter'])
    expect(JSON.parse(JSON.stringify(levels))).toEqual(levels)
  })

  it('hold everything where too few answers are known', () => {
    const distributions = ordinalTruth([0, 1])
    const levels = fitConformal(distributions, answersOf(Uint8Array.of(3, 9), new Float32Array(2)))
    expect(answerInterval(distributions.subarray(0, 11), levels)).toEqual([0, 10])
  })
})
