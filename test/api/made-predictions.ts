import type { PredictionRow } from '../../src/lake/predictions.ts'
import type { MadeProgram } from '../programs.ts'
import { publishRows } from '../published-rows.ts'

/** A program with two outcomes and money; its sources are never read. */
export const madeYaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { absence_of: login }, upsell: { event: [upgrade], desired: true } }
value: { annual_value: { column: annual_value }, margin: 0.5, upsell: 100 }`

/** A row without a model: what is not given is plain. */
export function madeRow(customer: string, more: PredictionRow = {}): PredictionRow {
  return {
    program: 'test',
    customer_id: customer,
    model_version: '2026-10-01-1',
    status: 'predicted',
    top_drivers: '[]',
    flags: '{"churn":"model"}',
    ...more,
  }
}

/** Publishes predictions of a day, or replaces them, as a daily run does. */
export async function publishDay(
  made: Pick<MadeProgram, 'program' | 'dataFolder'>,
  date: string,
  rows: readonly PredictionRow[],
  modelVersion = '2026-10-01-1',
): Promise<void> {
  await publishRows(made, { date, modelVersion, rows: rows.map((row) => ({ ...row, date })) })
}
