import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { addDays } from '../src/domain/days.ts'

/** Files and program of a small subscription company with known laws: tickets annoy, annoyed customers use less, answer worse and leave. */
export interface SmallCompany {
  readonly files: Readonly<Record<string, string>>
  readonly yaml: string
  readonly firstDay: string
  readonly lastDay: string
}

export interface SmallCompanyOptions {
  readonly customers?: number
  readonly days?: number
  readonly seed?: number
  /** False: nothing depends on anything. */
  readonly hasSignal?: boolean
}

const firstDay = '2024-01-01'

/** Simulates the company day by day. The same options give the same bytes. */
export function smallCompany(options: SmallCompanyOptions = {}): SmallCompany {
  const { customers = 300, days = 420, seed = 7, hasSignal = true } = options
  const generator = xoroshiro128plus(seed)
  const random = () => uniformFloat64(generator)
  const events = ['customer_id,at,type,value,minutes']
  const people = ['customer_id,joined_at,plan,annual_value,age']
  const answers = ['customer_id,at,metric,score,comment']
  for (let number = 0; number < customers; number++) {
    const id = `c${number}`
    const joined = number < customers / 2 ? 0 : Math.floor(random() * (days - 100))
    const isGold = random() < 0.3
    people.push(
      `${id},${addDays(firstDay, joined)},${isGold ? 'gold' : 'basic'},${isGold ? 600 : 240},${20 + Math.floor(random() * 50)}`,
    )
    let mood = random() * 2 - 1
    for (let day = joined; day < days; day++) {
      const date = addDays(firstDay, day)
      const felt = hasSignal ? mood : 0
      if (random() < 0.25 + 0.12 * felt)
        events.push(`${id},${date}T${hour(random())}:15:00,login,,${Math.round(5 + 20 * random())}`)
      if (random() < 0.02 - 0.012 * felt) {
        events.push(`${id},${date}T12:00:00,ticket,,`)
        mood = Math.max(-1, mood - 0.35)
      }
      if (random() < 0.003 + 0.002 * felt) events.push(`${id},${date}T13:00:00,upgrade,${isGold ? 60 : 24},`)
      if (random() < 0.01) answers.push(`${id},${date}T18:00:00,nps,${answer(felt, random())},`)
      if (random() < 0.0025 * Math.exp(-2 * felt)) {
        events.push(`${id},${date}T20:00:00,cancel,,`)
        break
      }
      mood = Math.min(1, mood + 0.004)
    }
  }
  const file = (lines: readonly string[]) => `${lines.join('\n')}\n`
  return {
    files: { 'events.csv': file(events), 'customers.csv': file(people), 'answers.csv': file(answers) },
    yaml: program,
    firstDay,
    lastDay: addDays(firstDay, days - 1),
  }
}

function hour(share: number): string {
  return String(7 + Math.floor(share * 12)).padStart(2, '0')
}

function answer(felt: number, share: number): number {
  return Math.max(0, Math.min(10, Math.round(6.5 + 3 * felt + 4 * (share - 0.5))))
}

const program = `
program: small-company
currency: EUR
timezone: Europe/Berlin
sources:
  events: { file: events.csv }
  customers: { file: customers.csv }
  responses: { file: answers.csv }
outcomes:
  churn: { event: [cancel] }
  upsell: { event: [upgrade], desired: true }
  inactivity: { absence_of: [login] }
meaning: { usage: [login], contact: [ticket] }
value: { annual_value: { column: annual_value }, margin: 0.4, upsell: 120 }
`
