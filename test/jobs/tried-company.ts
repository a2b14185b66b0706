import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { addDays } from '../../src/domain/days.ts'
import type { FileRow, ProgramFiles } from '../programs.ts'

export interface TriedOptions {
  readonly customers?: number
  readonly seed?: number
  /** How much likelier those with many tickets are to be called. 0: by lot. */
  readonly choosing?: number
  /** Change of the chance to leave within a month for those called. */
  readonly effect?: number
  /** Names of the arms. */
  readonly arms?: readonly [string, string]
  /** Text of `initiatives` in the program file. */
  readonly initiatives?: string
}

/**
 * A company that called some of its customers on 2024-04-01. Those with many tickets leave more, about a fifth within a
 * month; known up to 2024-05-31.
 */
export function triedCompany(options: TriedOptions = {}): ProgramFiles {
  const { customers = 800, seed = 1, choosing = 0, effect = 0, arms = ['control', 'called'] } = options
  const generator = xoroshiro128plus(seed)
  const random = () => uniformFloat64(generator)
  const events: FileRow[] = []
  const people: FileRow[] = []
  const calls: FileRow[] = []
  for (let number = 0; number < customers; number++) {
    const customer_id = `c${number}`
    people.push({ customer_id, joined_at: '2024-01-01', valid_from: '2024-01-01', annual_value: 1000 })
    const tickets = Math.floor(random() * 5)
    for (let ticket = 0; ticket < tickets; ticket++)
      events.push({ customer_id, at: addDays('2024-01-02', Math.floor(random() * 85)), type: 'ticket' })
    const isCalled = random() < 1 / (1 + Math.exp(-choosing * (tickets - 2)))
    calls.push({
      customer_id,
      at: '2024-04-01T10:00:00',
      initiative: 'call',
      arm: arms[isCalled ? 1 : 0],
      cost: isCalled ? 5 : 0,
    })
    const leaving = 0.05 + 0.08 * tickets + (isCalled ? effect : 0)
    if (random() < leaving)
      events.push({ customer_id, at: addDays('2024-04-02', Math.floor(random() * 28)), type: 'cancel' })
  }
  return {
    files: { 'events.csv': events, 'customers.csv': people, 'calls.csv': calls },
    yaml: `
sources:
  events: { file: events.csv, covers_until: 2024-05-31 }
  customers: { file: customers.csv }
  interventions: { file: calls.csv }
outcomes: { churn: { event: [cancel] } }
horizons_days: [30, 60, 90]
meaning: { contact: [ticket] }
value: { annual_value: { column: annual_value }, margin: 0.5, contact_cost: 4 }
${options.initiatives === undefined ? '' : `initiatives: ${options.initiatives}`}`,
  }
}
