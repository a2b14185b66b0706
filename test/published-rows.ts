import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type PredictionColumn, predictionColumns } from '../src/domain/prediction.ts'
import { shiftColumns } from '../src/engage/shifts.ts'
import { Database } from '../src/lake/database.ts'
import { openLake } from '../src/lake/lake.ts'
import { type DayParts, PredictionDraft, type PredictionRow, publishDay } from '../src/lake/predictions.ts'
import type { MadeProgram } from './programs.ts'

interface MadeDay {
  readonly date: string
  readonly modelVersion: string
  readonly rows: readonly PredictionRow[]
  /** What another version says of it. */
  readonly before?: { readonly modelVersion: string; readonly rows: readonly PredictionRow[] }
}

/** Publishes rows that no model made as the predictions of a day, or in place of them. */
export async function publishRows(
  { program, dataFolder }: Pick<MadeProgram, 'program' | 'dataFolder'>,
  { date, modelVersion, rows, before }: MadeDay,
): Promise<void> {
  const lake = await openLake(dataFolder, program)
  const folder = join(lake.folder, 'staging')
  await mkdir(folder, { recursive: true })
  const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
  const part = async (columns: readonly PredictionColumn[], own: readonly PredictionRow[]) => {
    const path = join(folder, `${columns.length}.parquet`)
    const draft = await PredictionDraft.create(database, { columns })
    await draft.append({ rows: own.length, columns: columnsOf(columns, own) })
    await draft.write(path)
    return { columns, paths: [path] } satisfies DayParts
  }
  const shifts = [{ name: 'customer_id', type: 'varchar' } as const, ...shiftColumns(program)]
  try {
    const named = rows.map((row) => ({ ...row, program: program.name }))
    await publishDay(database, lake, {
      ...{ date, modelVersion, lakeCommit: lake.state.sequence, folder, expansionColumn: null },
      parts: await part(predictionColumns(program), named),
      before: before ? { ...(await part(shifts, before.rows)), modelVersion: before.modelVersion } : null,
      at: '2026-11-20T12:00:00Z',
      timezone: program.timezone,
    })
  } finally {
    database.close()
  }
}

function columnsOf(columns: readonly PredictionColumn[], rows: readonly PredictionRow[]) {
  const column = ({ name, type }: PredictionColumn) =>
    type === 'double'
      ? Float64Array.from(rows, (row) => (row[name] ?? Number.NaN) as number)
      : rows.map((row) => (row[name] ?? null) as string | null)
  return Object.fromEntries(columns.map((own) => [own.name, column(own)]))
}
