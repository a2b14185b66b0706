import { stepOf, tableOf } from './feelings.ts'
import { usageLaw } from './laws.ts'

const loginChance = tableOf((s) => usageLaw.loginsPerDay * Math.exp(usageLaw.bySatisfaction * s))

/** Chance of a login on a day. Days before 0 count as usual ones. */
export function loginShare(satisfaction: number, engagement: number, day: number): number {
  const weekday = day < 0 ? 1 : usageLaw.weekdays[day % 7]
  return Math.min(usageLaw.mostPerDay, loginChance[stepOf(satisfaction)] * engagement * weekday)
}

/** Mean minutes of a login. */
export function usualMinutes(satisfaction: number): number {
  return usageLaw.minutes + usageLaw.minutesBySatisfaction * satisfaction
}
