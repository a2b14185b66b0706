import type { BoostingSettings } from './boosting.ts'

/** `keen` trees are large and see interactions; `cautious` ones are small and hardly leave what is additive. */
export const treeTempers = ['keen', 'cautious'] as const
export type TreeTemper = (typeof treeTempers)[number]

/**
 * Settings for an amount of data.
 *
 * @param size units of the task, and how many of them are telling: events where they are rare, answers
 */
export function treeSettings(size: { units: number; telling: number }, temper: TreeTemper): BoostingSettings {
  const isSmall = size.telling < 2_000
  const common = {
    rate: isSmall ? 0.04 : 0.08,
    columnShare: 0.4,
    mostRounds: isSmall ? 600 : 400,
    patience: 40,
    leastGain: 0,
  }
  return temper === 'keen'
    ? { ...common, mostLeaves: isSmall ? 12 : 24, leastCurvature: 2, l2: 2 }
    : { ...common, mostLeaves: 4, leastCurvature: 4, l2: 4 }
}
