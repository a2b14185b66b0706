import { describe, expect, it } from 'vitest'
import type { FeatureFrame } from '../../src/features/features.ts'
import { behavioursOf, findAliases } from '../../src/model/behaviours.ts'
import { chanceOf } from './simulated.ts'

const rows = 500
const chance = chanceOf(1)
const plan = Array.from({ length: rows }, () => ['basic', 'plus', 'gold'][Math.floor(3 * chance.uniform())])
const prices: Readonly<Record<string, number>> = { basic: 19, plus: 39, gold: 79 }
const price = Float64Array.from(plan, (name) => prices[name])
const logins = Float64Array.from({ length: rows }, () => Math.floor(20 * chance.uniform()))
const columns: Readonly<Record<string, { origin: string; column: FeatureFrame['columns'][number] }>> = {
  plan: { origin: 'plan', column: plan },
  payment_last: { origin: 'payment', column: price.map((paid, row) => (row % 50 === 0 ? Number.NaN : paid)) },
  payment_count: { origin: 'payment', column: Float64Array.from(price, () => chance.normal()) },
  login_count: { origin: 'login', column: logins },
  login_minutes: { origin: 'login', column: Float64Array.from(logins, () => chance.normal()) },
  activity_days: {
    origin: 'activity',
    column: logins.map((count) => count + (chance.uniform() < 0.1 ? 1 : 0)),
  },
  ticket_count: { origin: 'ticket', column: logins.map((count) => count + 15 * chance.normal()) },
  ticket_rare: { origin: 'ticket', column: logins.map((count, row) => (row % 3 === 0 ? count : Number.NaN)) },
  constant: { origin: 'constant', column: new Float64Array(rows) },
}
const frame: FeatureFrame = {
  rows,
  features: Object.entries(columns).map(([name, { origin }]) => ({
    name,
    kind: name === 'plan' ? 'category' : 'number',
    unit: '',
    windowDays: null,
    words: name,
    origin,
  })),
  columns: Object.values(columns).map(({ column }) => column),
}
const aliases = findAliases(frame)

describe('behaviours', () => {
  it('take in features that tell the same: what a plan costs is the plan', () => {
    expect(aliases.payment_last).toBe('plan')
  })

  it('lend their name before all activity together does', () => {
    expect(aliases.activity_days).toBe('login')
    expect(aliases).not.toHaveProperty('login_count')
  })

  it('keep what only goes along with another, is mostly missing or never changes', () => {
    expect(Object.keys(aliases).sort()).toEqual(['activity_days', 'payment_last'])
  })

  it('are those of the features themselves but for aliases', () => {
    expect(behavioursOf(frame.features, aliases).slice(0, 3)).toEqual(['plan', 'plan', 'payment'])
    expect(behavioursOf(frame.features)[1]).toBe('payment')
  })
})
