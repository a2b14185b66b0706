import { join } from 'node:path'
import { predictionColumns } from '../../src/domain/prediction.ts'
import { Database } from '../../src/lake/database.ts'
import { openLake } from '../../src/lake/lake.ts'
import { PredictionDraft, type PredictionRow } from '../../src/lake/predictions.ts'
import type { MadeProgram } from '../programs.ts'

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
  { program, dataFolder }: Pick<MadeProgram, 'program' | 'dataFolder'>,
  date: string,
  rows: readonly PredictionRow[],
  modelVersion = '2026-10-01-1',
): Promise<void> {
  const lake = await openLake(dataFolder, program)
  const spillFolder = join(lake.folder, 'spill')
  const database = await Database.open({ spillFolder, timezone: 'UTC' })
  try {
    const draft = await PredictionDraft.create(database, predictionColumns(program))
    await draft.append(rows.map((row) => ({ ...row, program: program.name, date })))
    const { timezone } = program
    await draft.publish(lake, { date, modelVersion, at: '2026-11-20T12:00:00Z', timezone })
  } finally {
    database.close()
  }
}
