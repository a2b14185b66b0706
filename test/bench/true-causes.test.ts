import { describe, expect, it } from 'vitest'
import {
  type Cause,
  causes,
  futuresAfter,
  type HiddenState,
  hiddenStates,
  movementsOf,
  trueDriver,
  withCauseOf,
} from '../../bench/true-causes.ts'
import { feeling } from '../../training/synthetic/customer.ts'

const run = { seed: 1, days: 548 }
const states = [...hiddenStates(run, { customers: 300, answering: 'observed' }).values()]
const sum = (values: Readonly<Record<string, number>>) =>
  Object.values(values).reduce((total, value) => total + value, 0)
const find = (isWanted: (state: HiddenState) => boolean) => {
  const found = states.find(isWanted)
  if (found === undefined) throw new Error('nobody is like that')
  return found
}

describe('what a simulated customer met', () => {
  it('adds up to the grievance and the experience that the customer carries', () => {
    expect(states.length).toBeGreaterThan(150)
    for (const { customer, points, grievances } of states) {
      // Price rises, upgrades and what was met before the first day are no experience of a kind.
      expect(Math.abs(sum(points) - customer.mood[feeling.experience])).toBeLessThan(0.15)
      expect(Math.abs(sum(grievances) - customer.mood[feeling.grievance])).toBeLessThan(0.02)
    }
  })
})

describe('a cause as another customer has it', () => {
  const hurt = find(({ points }) => points.tickets < -0.8)
  const calm = find(({ points }) => points.tickets > -0.01)

  it('moves satisfaction by the difference of what the two met, and nothing else', () => {
    const mended = withCauseOf(hurt, calm, 'tickets')
    const { satisfaction } = feeling
    const gain = mended.mood[satisfaction] - hurt.customer.mood[satisfaction]
    expect(gain).toBeCloseTo(calm.points.tickets - hurt.points.tickets, 9)
    expect(mended).toMatchObject({ level: hurt.customer.level, joinDay: hurt.customer.joinDay })
  })

  it('moves nothing where the other is the customer, and risk and answer where tickets hurt', () => {
    const futures = futuresAfter(run, 4)
    const alone = movementsOf(hurt, { others: [hurt], futures })
    for (const moved of Object.values(alone)) expect(Object.values(moved).every((by) => by === 0)).toBe(true)
    const { nps, churn } = movementsOf(hurt, { others: [calm], futures })
    expect(nps.tickets).toBeLessThan(-0.5)
    expect(churn.tickets).toBeGreaterThan(0)
    expect([nps.contract, nps.tenure, nps.plan]).toEqual([0, 0, 0])
  })
})

describe('the true driver', () => {
  const none = Object.fromEntries(Object.keys(causes).map((cause) => [cause, 0])) as Record<Cause, number>

  it('is the cause that moved the figure clearly and as much as all others together', () => {
    expect(trueDriver({ ...none, tickets: 0.08, contract: -0.05, feelings: 0.02 }, 'churn')).toBe('tickets')
    expect(trueDriver({ ...none, tickets: 0.08, contract: -0.05, feelings: 0.04 }, 'churn')).toBeNull()
  })

  it('is none where little moved, or feelings that nobody sees did', () => {
    expect(trueDriver({ ...none, tickets: 0.04 }, 'churn')).toBeNull()
    expect(trueDriver({ ...none, deliveries: -0.4 }, 'nps')).toBeNull()
    expect(trueDriver({ ...none, feelings: -2, tickets: -0.6 }, 'nps')).toBeNull()
  })
})
