import { describe, expect, it } from 'vitest'
import { expectedHazards } from '../../training/base-rates.ts'
import { chanceOf } from '../model/simulated.ts'

const intervals = 2
const horizonsDays = [30, 60]
const lastDay = 720

/** Customers seen every 15 days up to a day; an event falls by chance, as its own day says. */
function seenUntil(asOf: number, chanceOn: (day: number) => number, customers = 200) {
  const chance = chanceOf(3)
  const cutoffs = Array.from({ length: asOf / 15 }, (_, at) => 15 * at)
  const rows = cutoffs.flatMap((cutoff) => new Array<number>(customers).fill(cutoff))
  const isKnown = (at: number) => rows[Math.floor(at / intervals)] + horizonsDays[at % intervals] <= asOf
  const chances = rows.flatMap((cutoff) => horizonsDays.map((days) => chanceOn(cutoff + days)))
  const labels = {
    name: 'churn',
    intervals,
    happened: Uint8Array.from(chances, (p) => (chance.uniform() < p ? 1 : 0)),
    known: Uint8Array.from(chances, (_, at) => (isKnown(at) ? 1 : 0)),
    weight: new Float32Array(rows.length).fill(1),
  }
  return { labels, cutoff: rows, horizonsDays }
}

describe('the hazards that are to be expected', () => {
  it('are the share of all known labels where the level stays', () => {
    const dated = seenUntil(lastDay, () => 0.1)
    for (const [j, hazard] of expectedHazards(dated).entries()) {
      const known = dated.labels.known.reduce((sum, one, at) => sum + (at % intervals === j ? one : 0), 0)
      const fell = dated.labels.happened.reduce(
        (sum, one, at) => sum + (at % intervals === j ? one * dated.labels.known[at] : 0),
        0,
      )
      expect(Math.abs(hazard - fell / known)).toBeLessThan(0.005)
    }
  })

  it('are near those of late where the level rises', () => {
    const rising = (day: number) => 0.02 + (0.18 * day) / lastDay
    for (const hazard of expectedHazards(seenUntil(lastDay, rising))) {
      expect(hazard).toBeGreaterThan(0.16)
      expect(hazard).toBeLessThan(0.23)
    }
  })

  it('are the share of all labels where few events tell of late', () => {
    const rising = (day: number) => (day < lastDay - 60 ? 0.001 : 0.02)
    for (const hazard of expectedHazards(seenUntil(lastDay, rising, 10))) expect(hazard).toBeLessThan(0.006)
  })

  it('are one half where nothing is known', () => {
    expect(expectedHazards(seenUntil(15, () => 0.3))).toEqual([0.5, 0.5])
  })
})
