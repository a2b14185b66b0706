import type { BoostingSettings } from './boosting.ts'

/** `bold` trees follow every detail, `keen` ones see interactions, `cautious` ones hardly leave what is additive. */
export const treeTempers = ['bold', 'keen', 'cautious'] as const
export type TreeTemper = (typeof treeTempers)[number]

/** With fewer labels that tell there is time to try more, and less to lose by small steps. */
const isSmall = (telling: number) => telling < 2_000

/** What is worth trying on an amount of data: where there is much, keen trees are bold enough. */
export function tempersFor(telling: number): readonly TreeTemper[] {
  return isSmall(telling) ? treeTempers : ['keen', 'cautious']
}

/** With fewer, most trees lack the one column that much hangs on; with more, all trees are alike. */
const columnShare = 0.7

/** Where few rows tell, trees that differ in theirs are less by chance in sum; where more do, none can be spared. */
const fewRows = { below: 500, share: 0.7 }

/**
 * Settings for an amount of data.
 *
 * @param telling events where they are rare, else the rows without; answers
 */
export function treeSettings(telling: number, temper: TreeTemper): BoostingSettings {
  const common = isSmall(telling)
    ? { rate: 0.04, columnShare, rowShare: 1, mostRounds: 600, patience: 40, leastGain: 0 }
    : { rate: 0.08, columnShare, rowShare: 1, mostRounds: 400, patience: 40, leastGain: 0 }
  switch (temper) {
    case 'bold':
      return { ...common, mostLeaves: 24, leastCurvature: 1, l2: 1 }
    case 'keen':
      return isSmall(telling)
        ? { ...common, mostLeaves: 12, leastCurvature: 5, l2: 10 }
        : { ...common, mostLeaves: 24, leastCurvature: 2, l2: 2 }
    case 'cautious':
      return {
        ...common,
        rowShare: telling < fewRows.below ? fewRows.share : 1,
        mostLeaves: 4,
        leastCurvature: 4,
        l2: 4,
      }
  }
}
