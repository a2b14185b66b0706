import type { BoostingSettings } from './boosting.ts'

/** `keen` trees are large and see interactions; `cautious` ones are small and hardly leave what is additive. */
export const treeTempers = ['keen', 'cautious'] as const
export type TreeTemper = (typeof treeTempers)[number]

/**
 * Settings for an amount of data.
 *
 * @param telling events where they are rare, else the rows without; answers
 */
export function treeSettings(telling: number, temper: TreeTemper): BoostingSettings {
  const isSmall = telling < 2_000
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
