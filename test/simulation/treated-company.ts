import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { addDays, daysBetween } from '../../src/domain/days.ts'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { train } from '../../training/train.ts'
import { madeOnce } from '../made-once.ts'
import { type FileRow, makeLastingProgram, type ProgramFiles } from '../programs.ts'

/** The last day known, and that of the predictions: what was tried on 2024-04-01 has been seen through by then. */
export const treatedDay = '2024-05-31'
const firstDay = '2023-08-01'
const triedOn = '2024-04-01'

/** Customers who were called once more, eleven days before the day of the predictions. */
export const calledAgain = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9']

/**
 * A company whose customers leave the more tickets they have, unless they were called: by lot, some of them were on
 * 2024-04-01. A letter that did nothing, a gift whose cost no row tells, and a banner that everybody saw were tried on
 * the same day. Customers are worth 200 to 2000 a year.
 */
function treatedCompany(customers: number): ProgramFiles {
  const generator = xoroshiro128plus(11)
  const random = () => uniformFloat64(generator)
  const events: FileRow[] = []
  const people: FileRow[] = []
  const tried: FileRow[] = []
  const days = daysBetween(firstDay, treatedDay)
  const callDay = daysBetween(firstDay, triedOn)
  for (let number = 0; number < customers; number++) {
    const customer_id = `c${number}`
    const joined = Math.floor(random() * 200)
    const joined_at = addDays(firstDay, joined)
    people.push({ customer_id, joined_at, valid_from: joined_at, annual_value: 200 * (1 + (number % 10)) })
    const put = (initiative: string, share: number, cost: number | null) => {
      const isTreated = random() < share
      const at = `${triedOn}T11:00:00`
      const arm = isTreated ? 'treated' : 'control'
      tried.push({ customer_id, at, initiative, arm, cost: isTreated ? cost : cost && 0 })
      return isTreated
    }
    let tickets: number[] = []
    let isCalled = false
    for (let day = joined; day <= days; day++) {
      if (day === callDay) {
        isCalled = put('call', 0.5, 5)
        put('letter', 0.5, 1)
        put('gift', 0.5, null)
        put('banner', 1, 1)
      }
      if (random() < 0.02) {
        events.push({ customer_id, at: `${addDays(firstDay, day)}T10:00:00`, type: 'ticket' })
        tickets.push(day)
      }
      tickets = tickets.filter((own) => own > day - 60)
      const leaving = (0.001 + 0.002 * tickets.length) * (isCalled ? 0.1 : 1)
      if (random() >= leaving) continue
      events.push({ customer_id, at: `${addDays(firstDay, day)}T20:00:00`, type: 'cancel' })
      break
    }
    if (calledAgain.includes(customer_id))
      tried.push({ customer_id, at: '2024-05-20T10:00:00', initiative: 'call', arm: 'treated', cost: 0 })
  }
  return { files: { 'events.csv': events, 'customers.csv': people, 'tried.csv': tried }, yaml }
}

const yaml = `
sources:
  events: { file: events.csv, covers_until: ${treatedDay} }
  customers: { file: customers.csv }
  interventions: { file: tried.csv, covers_until: ${treatedDay} }
outcomes: { churn: { event: [cancel] } }
horizons_days: [30, 60]
meaning: { contact: [ticket] }
value: { annual_value: { column: annual_value }, margin: 0.5 }`

export type TreatedCompany = Awaited<ReturnType<typeof makeTreatedCompany>>

/** The company with a trained version and the predictions of its last day. Call `remove` in the end. */
export async function makeTreatedCompany() {
  const made = await makeLastingProgram(treatedCompany(1200))
  await madeOnce(made, 'treated', async (folders) => {
    const settings = { ...folders, now: '2024-06-01T00:00:00Z', seed: 1, reporter: silentReporter }
    await ingest(made.program, settings)
    await train(made.program, { ...settings, maxRows: 3000, asOf: treatedDay })
    await predictDay(made.program, { ...settings, date: treatedDay })
  })
  return made
}
