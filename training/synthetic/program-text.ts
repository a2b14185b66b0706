import type { Day } from '../../src/domain/days.ts'

/** The program file of a simulated company whose data end with a day. */
export function programText(lastDay: Day): string {
  return `# A simulated subscription company. Who made it and by which laws: training/synthetic/README.md of Loyalcast.
program: simulated-company
population: customer
currency: EUR
timezone: Europe/Berlin
horizons_days: [30, 60, 90]

sources:
  events: { file: events/*.parquet, covers_until: ${lastDay} }
  customers: { file: customers.parquet }
  responses: { file: responses/*.parquet, covers_until: ${lastDay} }
  interventions: { file: interventions.parquet, covers_until: ${lastDay} }

outcomes:
  churn: { event: [cancel] }
  upsell: { event: [upgrade], desired: true }
  advocacy: { event: [referral, review], desired: true }

meaning:
  usage: [login]
  contact: [ticket]
  feedback: [feature_request]
  asked: [survey_sent]

# A plan changes with the upgrade that is to be foretold; as it was at the cutoff it gives nothing away.
accept_leaks: [plan]

value:
  annual_value: { column: annual_value }
  margin: 0.6
  upsell: 120
  advocacy: 80
  contact_cost: 6
  discount_rate: 0.08
`
}
