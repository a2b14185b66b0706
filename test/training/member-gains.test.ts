import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/domain/program.ts'
import type { Member } from '../../src/model/member.ts'
import { fitBlended } from '../../training/blended.ts'
import type { HeldOut } from '../../training/held-out.ts'
import { measureMemberGains, timeMembers } from '../../training/member-gains.ts'
import { chanceOf, drawEvents, logistic } from '../model/simulated.ts'

const rows = 3000
const outcome: Outcome = {
  name: 'churn',
  kind: 'event',
  eventTypes: ['left'],
  isDesired: false,
  isTerminal: true,
}

/** Two members that each see one half of the truth, and one that sees nothing. */
function heldOutOf(seed: number): HeldOut {
  const chance = chanceOf(seed)
  const halves = [0, 1].map(() => Float64Array.from({ length: rows }, () => 1.5 * chance.normal()))
  const truth = Float64Array.from({ length: rows }, (_, row) =>
    logistic(-1 + halves[0][row] + halves[1][row]),
  )
  const customer = Int32Array.from({ length: rows }, (_, row) => row)
  const labels = { ...drawEvents(truth, { intervals: 1, chance }), observed: new Uint8Array(rows).fill(1) }
  const said = [...halves, new Float64Array(rows)].map((half) => [
    Float32Array.from(half, (x) => logistic(-1 + x)),
  ])
  return {
    labelled: { rows: customer, customer, outcomes: [labels], answers: null },
    hazards: said,
    answers: [],
  }
}

describe('what each member adds', () => {
  const [calibrated, test] = [heldOutOf(1), heldOutOf(2)]
  const options = {
    tasks: { outcomes: [{ outcome, index: 0, intervals: 1 }], hasAnswers: false, skipped: {} },
    horizonsDays: [30],
    known: calibrated.labelled,
    dataset: { cutoff: new Int32Array(rows) },
    seed: 1,
  }

  it('is much for one that knows what no other does, and nothing for one that knows nothing', () => {
    const blended = fitBlended(calibrated, options)
    const gains = measureMemberGains({ blended, calibrated, test }, options)
    expect(gains[0].churn).toBeGreaterThan(0.02)
    expect(gains[1].churn).toBeGreaterThan(0.02)
    expect(Math.abs(gains[2].churn)).toBeLessThan(0.005)
  })
})

describe('what each member costs', () => {
  const member: Member = {
    kind: 'made',
    predict: ({ rows }) => ({ hazards: [new Float32Array(rows)], answers: [] }),
    store: () => ({ kind: 'made', description: {}, arrays: {} }),
  }
  const parts = { encoder: { encodings: [] }, members: [{ name: 'made', member, view: 'plain' as const }] }
  const frame = { rows: 10, features: [], columns: [] }

  it('is the time of the stopwatch by row', () => {
    let now = 0
    const stopwatch = () => {
      now += 5
      return now
    }
    expect(timeMembers(parts, { frame, leads: 0, stopwatch })).toEqual([500])
  })

  it('is not known where the stopwatch stands still, or there is no row', () => {
    expect(timeMembers(parts, { frame, leads: 0, stopwatch: () => 0 })).toEqual([null])
    const empty = { ...frame, rows: 0 }
    expect(timeMembers(parts, { frame: empty, leads: 0, stopwatch: () => 0 })).toEqual([null])
  })
})
