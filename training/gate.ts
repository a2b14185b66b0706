import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Registry } from '../src/model/registry.ts'
import type { Card } from './card.ts'

export interface GateVerdict {
  readonly isPassed: boolean
  readonly reason: string
}

/** Gain over the base rate, task by task. */
interface TaskGain {
  readonly hasSkill: boolean
  readonly gain: { readonly mean: number; readonly low: number; readonly high: number } | null
}

/**
 * Whether a new version may serve. The first one always may. A later one must keep the skill that the champion has in
 * every task, and its gain over the base rate, each on its own later data, must not lie clearly below the champion's.
 */
export async function judgeGate(registry: Registry, card: Card): Promise<GateVerdict> {
  const champion = await registry.champion()
  const gains = gainsOf(card)
  const skilled = Object.keys(gains).filter((task) => gains[task].hasSkill)
  if (champion === null) {
    const flag =
      skilled.length > 0 ? `skill in ${skilled.join(', ')}` : 'it has no skill: base rates are served'
    return { isPassed: true, reason: `the first version; ${flag}` }
  }
  const before = gainsOf(
    JSON.parse(await readFile(join(registry.folderOf(champion), 'card.json'), 'utf8')) as Card,
  )
  for (const [task, { hasSkill, gain }] of Object.entries(before)) {
    if (!hasSkill || gain === null) continue
    const own = gains[task]
    if (!own?.hasSkill || own.gain === null) {
      return { isPassed: false, reason: `${champion} has skill in ${task} and this version has not` }
    }
    if (own.gain.high < gain.low) {
      return {
        isPassed: false,
        reason: `its gain in ${task}, ${shown(own.gain)}, lies clearly below that of ${champion}, ${shown(gain)}`,
      }
    }
  }
  return { isPassed: true, reason: `no task is clearly worse than with ${champion}` }
}

function gainsOf(card: Card): Record<string, TaskGain> {
  const gains: Record<string, TaskGain> = {}
  for (const { name, hasSkill, gain } of card.outcomes) gains[name] = { hasSkill, gain }
  if (card.nps) gains.nps = { hasSkill: card.nps.hasSkill, gain: card.nps.gain }
  return gains
}

function shown({ mean, low, high }: { mean: number; low: number; high: number }): string {
  return `${mean.toFixed(4)} (95% ${low.toFixed(4)} to ${high.toFixed(4)})`
}
