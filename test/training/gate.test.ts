import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Registry } from '../../src/model/registry.ts'
import type { Card } from '../../training/card.ts'
import { judgeGate } from '../../training/gate.ts'

type Gain = { mean: number; low: number; high: number }

/** As much of a card as the gate reads. */
function card(version: string, churn: { hasSkill: boolean; gain: Gain | null }): Card {
  return { version, outcomes: [{ name: 'churn', horizons: [], ...churn }], nps: null } as unknown as Card
}

const good = { hasSkill: true, gain: { mean: 0.05, low: 0.04, high: 0.06 } }
const dull = { hasSkill: false, gain: { mean: 0, low: -0.01, high: 0.01 } }

describe('the gate', () => {
  let folder: string
  let registry: Registry

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loyalcast-gate-'))
    registry = new Registry(folder, 'shop')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function serve(champion: Card): Promise<void> {
    await registry.publish(champion.version, { 'card.json': JSON.stringify(champion) })
    await registry.promote(champion.version, { at: '2026-11-20T05:00:00Z', reason: 'a test' })
  }

  it('lets the first version pass, and says where it has no skill', async () => {
    expect(await judgeGate(registry, card('2026-11-20-1', good))).toEqual({
      isPassed: true,
      reason: 'the first version; skill in churn',
    })
    expect((await judgeGate(registry, card('2026-11-20-1', dull))).reason).toContain('no skill')
  })

  it('never lets a version without skill replace one with skill', async () => {
    await serve(card('2026-11-19-1', good))
    expect(await judgeGate(registry, card('2026-11-20-1', dull))).toMatchObject({ isPassed: false })
    expect(await judgeGate(registry, { ...card('2026-11-20-1', dull), outcomes: [] })).toMatchObject({
      isPassed: false,
    })
  })

  it('refuses a gain that lies clearly below the champion’s and allows one that may be as good', async () => {
    await serve(card('2026-11-19-1', good))
    const worse = { hasSkill: true, gain: { mean: 0.02, low: 0.01, high: 0.03 } }
    const similar = { hasSkill: true, gain: { mean: 0.035, low: 0.025, high: 0.045 } }
    expect((await judgeGate(registry, card('2026-11-20-1', worse))).reason).toContain('clearly below')
    expect(await judgeGate(registry, card('2026-11-20-1', similar))).toMatchObject({ isPassed: true })
  })

  it('lets anything replace a champion without skill', async () => {
    await serve(card('2026-11-19-1', dull))
    expect(await judgeGate(registry, card('2026-11-20-1', dull))).toMatchObject({ isPassed: true })
  })
})
