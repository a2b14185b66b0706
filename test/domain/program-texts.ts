import { stringify } from 'yaml'
import type { Environment } from '../../src/domain/environment.ts'
import { LoyalcastError } from '../../src/domain/errors.ts'
import type { Program } from '../../src/domain/program.ts'
import { parseProgram } from '../../src/domain/program-file.ts'

/** The program file of the design. */
export const sample = `
program: online-retail            # [a-z0-9-], up to 48 characters
population: customer
currency: GBP
timezone: Europe/London
horizons_days: [30, 60, 90]

sources:
  events:
    - sql: >
        select CustomerID as customer_id, InvoiceDate as at, 'purchase' as type
        from read_csv('online_retail.csv.gz') where Quantity > 0
    - file: clicks/*.parquet
      columns: { customer_id: user, at: ts, type: name }
      covers_until: 2026-11-20
      # replace: true
  customers: { file: customers.csv, replace: true }
  responses: { file: answers.ndjson }

outcomes:
  churn:    { absence_of: [purchase] }
  upsell:   { event: [upgrade], desired: true }
  advocacy: { event: [referral, review], desired: true }

at_risk: { active_within_days: 365 }
meaning: { usage: [login], contact: [ticket], feedback: [feature_request], asked: [survey_sent] }

value:
  annual_value: { sum_of: [purchase], days: 365 }
  margin: 0.35
  upsell: 120
  advocacy: 80
  contact_cost: 4.5
  discount_rate: 0.08
`

export const parse = (text: string, environment: Environment = {}): Program =>
  parseProgram(text, { path: 'program.yaml', folder: '/home', environment })

export function refusal(text: string, environment: Environment = {}): LoyalcastError {
  try {
    parse(text, environment)
  } catch (error) {
    if (error instanceof LoyalcastError) return error
    throw error
  }
  throw new Error('the text was not refused')
}

export const message = (text: string, environment: Environment = {}) => refusal(text, environment).message

/** A small valid program with other keys in place of its own. */
export const programWith = (keys: Record<string, unknown>): string =>
  stringify({
    program: 'shop',
    sources: { events: { file: 'events.csv' } },
    outcomes: { churn: { event: 'cancel' } },
    ...keys,
  })
