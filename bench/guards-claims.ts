import type { Search } from './guards-leaks.ts'
import type { Trained } from './guards-skill.ts'

/** A sentence about all figures together, and whether it holds. */
export interface GuardClaim {
  readonly isHeld: boolean
  readonly words: string
}

/** Most tasks that may claim skill where there is none. */
const mostFalse = 0.05

/** Of companies in which nothing can be known: how many tasks claim to know something. */
export function judgeSkill(trained: readonly Trained[]): GuardClaim {
  const tasks = trained.flatMap(({ claims }) => claims)
  const claimed = tasks.filter(({ hasSkill }) => hasSkill).length
  return {
    isHeld: claimed <= mostFalse * tasks.length,
    words: `${shareOf(claimed, tasks.length)} tasks claim skill where there is no signal (at most ${100 * mostFalse}%).`,
  }
}

/** Leaks that are plain are named, or can't be seen before the outcome at all. */
export function judgeLeaks(searches: readonly Search[]): GuardClaim {
  const plain = searches.filter(({ plant }) => plant.isLeak && !plant.isUnclear)
  const held = plain.filter(({ isNamed, isShutOut }) => isNamed || isShutOut)
  const named = plain.filter(({ isNamed }) => isNamed).length
  return {
    isHeld: held.length === plain.length,
    words: `${shareOf(held.length, plain.length)} planted leaks are held: ${named} by name, ${held.length - named} because their features never differ before the outcome (all).`,
  }
}

/** What is known before is kept, and nothing beside a plant is suspected. */
export function judgeHonest(searches: readonly Search[], trained: readonly Trained[]): GuardClaim {
  const honest = searches.filter(({ plant }) => !plant.isLeak && !plant.isUnclear)
  const dropped = honest.filter(({ isNamed }) => isNamed).length
  const beside = [...searches, ...trained].flatMap((one) =>
    'alsoNamed' in one ? one.alsoNamed : one.leaks,
  ).length
  return {
    isHeld: dropped === 0 && beside === 0,
    words: `${shareOf(dropped, honest.length)} honest features that tell much are left out (none); ${beside} other features of all these companies are (none).`,
  }
}

/** `2 of 130 (1.5%, 95% 0.2 to 5.4)`. */
export function shareOf(hits: number, count: number): string {
  const percent = (share: number) => (100 * share).toFixed(1)
  const { low, high } = exactInterval(hits, count)
  return `${hits} of ${count} (${percent(hits / count)}%, 95% ${percent(low)} to ${percent(high)})`
}

/** 95% interval of a share. Source: Clopper & Pearson (1934), by bisection. */
export function exactInterval(hits: number, count: number): { low: number; high: number } {
  const tail = 0.025
  return {
    low: hits === 0 ? 0 : bisect((p) => 1 - atMost(hits - 1, count, p) < tail),
    high: hits === count ? 1 : bisect((p) => atMost(hits, count, p) > tail),
  }
}

/** Where a condition that holds for small shares stops to hold. */
function bisect(isBelow: (share: number) => boolean): number {
  let [low, high] = [0, 1]
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2
    if (isBelow(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Chance of at most so many hits. */
function atMost(hits: number, count: number, share: number): number {
  let term = count * Math.log1p(-share)
  let sum = Math.exp(term)
  for (let k = 1; k <= hits; k++) {
    term += Math.log((count - k + 1) / k) + Math.log(share) - Math.log1p(-share)
    sum += Math.exp(term)
  }
  return Math.min(1, sum)
}
