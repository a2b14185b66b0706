import { outageLaw, regions } from './laws.ts'
import { luckOf, uniform } from './randomness.ts'

/** Share of a region's customers that an outage hits, by day and region; 0 on days without one. */
export interface Outages {
  readonly firstDay: number
  readonly shares: Float32Array
}

/** The outages of a world: those that came, or those of a possible future. */
export function makeOutages(seed: number, { firstDay, days }: { firstDay: number; days: number }): Outages {
  const shares = new Float32Array(days * regions.length)
  const { perDay, leastShare, mostShare } = outageLaw
  for (let region = 0; region < regions.length; region++) {
    const luck = luckOf(seed, region, 3)
    for (let day = 0; day < days; day++) {
      if (uniform(luck, firstDay + day, 0) >= perDay[region]) continue
      shares[day * regions.length + region] =
        leastShare + (mostShare - leastShare) * uniform(luck, firstDay + day, 1)
    }
  }
  return { firstDay, shares }
}

/** Outages of possible futures of the company, for replications: one calendar each, from `firstDay` on. */
export function possibleOutages(
  seed: number,
  { firstDay, days, worlds }: { firstDay: number; days: number; worlds: number },
): Outages[] {
  return Array.from({ length: worlds }, (_, world) =>
    makeOutages(seed + 1_000_003 * (world + 1), { firstDay, days }),
  )
}

/** The share hit in a region on a day. */
export function outageShare({ firstDay, shares }: Outages, day: number, region: number): number {
  return shares[(day - firstDay) * regions.length + region]
}
