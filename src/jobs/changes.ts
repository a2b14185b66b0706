import { join } from 'node:path'
import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { type ChangeOfVersion, selectShifts } from '../engage/shifts.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import { openPredictions } from '../lake/read-predictions.ts'

/** Two days whose predictions are compared. */
export interface ComparedDays {
  readonly since: Day
  readonly date: Day
}

/** SQL: a row of changes as one JSON text. */
export const changeLine = `left(to_json(struct_pack(customer_id := customer_id, change := change, figure := figure,
  "before" := "before", "after" := "after", cause := cause, segment_before := segment_before,
  segment_after := segment_after))::varchar, -1) || ',"moved":' || moved || '}'`

/**
 * What changed between two days, as a select in the order of customers.
 *
 * **Errors** `no-predictions` with the days that there are, `changes` where the first day is not before the second.
 */
export async function selectChanges(
  database: Database,
  program: Program,
  { lake, since, date }: ComparedDays & { readonly lake: Lake },
): Promise<string> {
  if (since >= date)
    throw usageError(
      'changes',
      `Changes since ${since} until ${date}: the first day must be before the second.`,
    )
  const first = findPredictionDay(lake, since)
  const last = findPredictionDay(lake, date)
  const open = ({ path }: { path: string }) => openPredictions(database, join(lake.folder, path))
  return selectShifts({
    program,
    since: await open(first),
    day: await open(last),
    versions: await findVersions(lake, { first, last, open }),
  })
}

interface Between {
  readonly first: PredictionDay
  readonly last: PredictionDay
  readonly open: (file: { path: string }) => Promise<ChangeOfVersion['after']>
}

/** Every change of version between two days; null where what one of them did is not known. */
async function findVersions(
  { state }: Lake,
  { first, last, open }: Between,
): Promise<ChangeOfVersion[] | null> {
  const days = [...state.predictions.values()]
    .filter(({ date }) => date > first.date && date <= last.date)
    .sort((a, b) => (a.date < b.date ? -1 : 1))
  const changes: ChangeOfVersion[] = []
  let version = first.modelVersion
  for (const day of days) {
    if (day.modelVersion === version) continue
    if (day.before?.modelVersion !== version) return null
    changes.push({ after: await open(day), before: await open(day.before) })
    version = day.modelVersion
  }
  return changes
}
