import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { addDays } from '../../src/domain/days.ts'
import type { FileRow, ProgramFiles } from '../programs.ts'

const days = 200
const firstDay = '2024-01-01'
/** Chance of leaving on a day, as it is and for so many days after a complaint. */
export const leaving = { usual: 0.0008, complained: 0.006, forDays: 30 }

/**
 * A company whose customers log in often or seldom; those who do seldom leave three times as often. A complaint follows the
 * day after a delivery now and then, whoever it is, and makes customers leave. Letters go out mostly to those who log in
 * seldom, and do nothing.
 */
export function troubledCompany({ customers = 1500, seed = 1 } = {}): ProgramFiles {
  const generator = xoroshiro128plus(seed)
  const random = () => uniformFloat64(generator)
  const events: FileRow[] = []
  const people: FileRow[] = []
  for (let number = 0; number < customers; number++) {
    const customer_id = `c${number}`
    people.push({ customer_id, joined_at: addDays(firstDay, -1), valid_from: addDays(firstDay, -1) })
    const isSeldom = random() < 0.5
    let complaintDue = false
    let complainedOn = -1000
    for (let day = 0; day < days; day++) {
      const note = (type: string) => events.push({ customer_id, at: addDays(firstDay, day), type })
      if (random() < (isSeldom ? 0.05 : 0.3)) note('login')
      if (complaintDue) {
        note('complaint')
        complainedOn = day
      }
      const isDelivered = random() < 0.02
      if (isDelivered) note('delivery')
      complaintDue = isDelivered && random() < 0.15
      if (random() < (isSeldom ? 0.02 : 0.004)) note('letter')
      const chance = day - complainedOn < leaving.forDays ? leaving.complained : leaving.usual
      if (random() < chance * (isSeldom ? 3 : 1)) {
        note('cancel')
        break
      }
    }
  }
  return {
    files: { 'events.csv': events, 'customers.csv': people },
    yaml: `
sources:
  events: { file: events.csv, covers_until: ${addDays(firstDay, days - 1)} }
  customers: { file: customers.csv }
outcomes: { churn: { event: [cancel] } }
horizons_days: [30]
`,
  }
}
