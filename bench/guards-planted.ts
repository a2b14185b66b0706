import { dayAt, instantAt, type MadeCompany, type Row, sourcesText } from './guards-company.ts'
import { type Draws, drawsOf } from './guards-draws.ts'

/** A customer of a company with causes: how they lived, and until when. Days since day 0. */
export interface Life {
  readonly draws: Draws
  readonly joined: number
  /** The day of leaving; null: still there. */
  readonly left: number | null
  /** Leaving, or the last day that is known. */
  readonly end: number
  /** Days of every login. */
  readonly logins: readonly number[]
  /** What an honest plant drew before anything happened. */
  readonly trait: Trait
}

/** Something known of a customer from joining, and by how much it multiplies the chance of leaving. */
export interface Trait {
  readonly value: string | number
  readonly factor: number
}

/** Something recorded beside all the rest: a leak, or an honest feature that tells much. */
export interface Plant {
  readonly isLeak: boolean
  /** A leak so faint, or an honest feature so strong, that what it tells could as well be the other: beside the claims. */
  readonly isUnclear?: boolean
  readonly kind: string
  readonly words: string
  /** What it would be called: an attribute or an event type. */
  readonly origin: string
  readonly trait?: (draws: Draws) => Trait
  /** An attribute without a time, as it stands on the day of the export. */
  readonly standing?: (life: Life) => string | number | null
  /** An attribute with a history: its value from joining on, and later ones. */
  readonly history?: (life: Life) => readonly { readonly day: number; readonly value: string | number }[]
  readonly events?: (life: Life) => readonly { readonly day: number; readonly share: number }[]
}

/** Days of the company's history; everything is known to the end of the last one. */
export const days = 360
/** Share of a day after which a customer leaves: what comes with the leaving may come shortly before it. */
export const leavingShare = 0.6

/**
 * A company whose customers leave for reasons that can be seen (few logins, tickets, their contract), about a third of
 * them within a year, with something planted among what it records.
 */
export function makePlanted(plant: Plant, seed: number): MadeCompany {
  const draws = drawsOf(seed)
  const events: Row[] = []
  const customers: Row[] = []
  const size = draws.whole(300, 500)
  const monthly = draws.uniform(0.02, 0.045)
  for (let number = 0; number < size; number++) {
    const id = `c${number}`
    const trait = plant.trait?.(draws) ?? { value: 0, factor: 1 }
    const contract = draws.pick(['monthly', 'monthly', 'annual'])
    const usage = draws.heavy(0.8)
    const { life, tickets } = live(draws, {
      trait,
      monthly: monthly * (contract === 'annual' ? 0.4 : 1.3),
      usage,
    })
    const happen = (day: number, type: string, share = draws.uniform()) =>
      events.push({ customer_id: id, at: instantAt(day, share), type })
    for (const day of life.logins) happen(day, 'login')
    for (const day of tickets) happen(day, 'ticket')
    for (const { day, share } of plant.events?.(life) ?? []) happen(day, plant.origin, share)
    if (life.left !== null) happen(life.left, 'leave', leavingShare)
    const known = {
      customer_id: id,
      joined_at: dayAt(life.joined),
      contract,
      region: draws.pick(['n', 's', 'e', 'w']),
      age: draws.whole(18, 80),
      income: Number((30 * draws.heavy(0.5) + 5 * usage).toFixed(1)),
    }
    const values = plant.history?.(life)
    if (values === undefined)
      customers.push({ ...known, ...(plant.standing && { [plant.origin]: plant.standing(life) }) })
    for (const { day, value } of values ?? [])
      customers.push({ ...known, valid_from: dayAt(day), [plant.origin]: value })
  }
  const tables = { events, customers, responses: [] }
  const yaml = `${sourcesText(tables, dayAt(days - 1))}outcomes: { churn: { event: leave } }\n`
  return { words: `${plant.kind}, ${plant.words}, ${size} customers`, yaml, tables }
}

/** Day by day: a ticket makes leaving likelier for a month, a login less likely. */
function live(
  draws: Draws,
  { trait, monthly, usage }: { trait: Trait; monthly: number; usage: number },
): { life: Life; tickets: number[] } {
  const joined = draws.isTrue(0.6) ? 0 : draws.whole(0, days - 60)
  const logins: number[] = []
  const tickets: number[] = []
  let left: number | null = null
  for (let day = joined; day < days && left === null; day++) {
    if (draws.isTrue(Math.min(0.8, 0.12 * usage))) logins.push(day)
    if (draws.isTrue(0.01)) tickets.push(day)
    const isQuiet = day - (logins.at(-1) ?? joined) > 20
    const isTroubled = day - (tickets.at(-1) ?? -100) < 30
    const chance = (monthly / 30) * trait.factor * (isQuiet ? 2.5 : 0.7) * (isTroubled ? 2 : 1)
    if (day > joined && draws.isTrue(Math.min(0.5, chance))) left = day
  }
  return { life: { draws, joined, left, end: left ?? days - 1, logins, trait }, tickets }
}
