import type { Program } from '../../domain/program.ts'
import type { Lake } from '../../lake/lake.ts'
import type { RunFolder } from '../../lake/run-folder.ts'
import { withScratchDatabase } from '../../lake/scratch-database.ts'
import { type Compared, comparedCustomers } from '../../model/drivers.ts'
import type { Predictor } from '../../model/predictor.ts'
import { readCompared } from '../compared-customers.ts'
import { keptOfGroup } from './keep-group.ts'
import type { DayPlan } from './plan.ts'

const step = 'compared'

/** Task → those whom its predictions are compared with, as plain JSON. */
type Noted = readonly (readonly [
  task: string,
  others: readonly { readonly predicted: number; readonly terms: readonly number[] }[],
])[]

export interface ComparedStep {
  readonly program: Program
  readonly lake: Lake
  readonly plan: DayPlan
  readonly run: RunFolder
  readonly predictor: Predictor
}

/** Settles whom drivers compare everybody with, unless that was done: every group means the same people. */
export async function settleCompared({ program, lake, plan, run, predictor }: ComparedStep): Promise<void> {
  if ((await run.noteOf<Noted>(step)) !== null) return
  const kept = plan.keeps ? { kept: keptOfGroup({ run, plan, predictor, group: 0 }) } : {}
  const frame = await withScratchDatabase(run.path, program, (database) =>
    readCompared(database, { program, lake, predictor, date: plan.date, buckets: plan.groups[0], ...kept }),
  )
  const noted: Noted = [...comparedCustomers(predictor, frame)].map(([task, others]) => [
    task,
    others.map(({ predicted, terms }) => ({ predicted, terms: [...terms] })),
  ])
  await run.note(step, noted)
}

/** Whom drivers compare with, once that is settled. */
export async function readSettled(run: RunFolder): Promise<Compared> {
  const noted = (await run.noteOf<Noted>(step)) ?? []
  return new Map(
    noted.map(([task, others]) => [
      task,
      others.map(({ predicted, terms }) => ({ predicted, terms: Float64Array.from(terms) })),
    ]),
  )
}
