import { join } from 'node:path'
import { damageFailure } from '../../domain/errors.ts'
import type { Program } from '../../domain/program.ts'
import { tableShapes } from '../../domain/tables.ts'
import { codeVersion } from '../../domain/version.ts'
import { type Keeping, kindMeasures } from '../../features/kept-columns.ts'
import { carryOn, changedDays, type KeptEvents, keepEvents } from '../../features/kept-events.ts'
import type { LakeFile } from '../../lake/commits.ts'
import { findHolders } from '../../lake/compaction.ts'
import { type Database, quoteText } from '../../lake/database.ts'
import { KeptFiles } from '../../lake/kept-files.ts'
import { type Lake, readTable } from '../../lake/lake.ts'
import type { RunFolder } from '../../lake/run-folder.ts'
import { withScratchDatabase } from '../../lake/scratch-database.ts'
import type { Predictor } from '../../model/predictor.ts'
import type { DayPlan } from './plan.ts'

/** How it is kept. Another form has another number. */
const form = 2
/** Rows that are read together at least: few, since features of one kind of event pass by the rows of the others. */
const groupRows = 8192

/** What is kept of a group, as it is noted when it is done. */
interface KeptGroup {
  /** Files of the lake whose events are in it. */
  readonly from: readonly string[]
}

export interface KeepWork {
  readonly program: Program
  readonly plan: DayPlan
  readonly lake: Lake
  readonly run: RunFolder
  readonly predictor: Predictor
  /** Place of the group in the plan. */
  readonly group: number
}

/** Works out what is known of a group's events at the end of the day, unless that was done: from what was kept, if it can be. */
export async function keepGroup(work: KeepWork, threads: number): Promise<void> {
  const { program, plan, lake, run, predictor, group } = work
  if ((await run.noteOf<KeptGroup>(keptStep(group))) !== null) return
  const own = lake.state.files.filter(
    ({ table, bucket }) => table === 'events' && plan.groups[group].includes(bucket),
  )
  const { timezone } = program
  await withScratchDatabase(
    run.path,
    { timezone, threads, memoryLimit: plan.memoryLimit },
    async (database, folder) => {
      const keeping = { program, catalogue: predictor.catalogue }
      const events = (files: readonly LakeFile[]) =>
        readTable(lake, 'events', { prefix: tableShapes.events.extraPrefix, files })
      const write = async (kept: KeptEvents) => {
        const staged = join(folder, 'kept.parquet')
        for (const [part, relation] of Object.entries({ ...kept.kinds, customers: kept.customers })) {
          const order = part === 'customers' ? '' : 'order by kind'
          await database.run(
            `copy (from ${relation} ${order}) to ${quoteText(staged)} (format parquet, compression snappy, row_group_size ${groupRows})`,
          )
          await run.keep(staged, fileOf(group, part))
        }
      }
      const writeAnew = async () =>
        write(await keepEvents(database, keeping, { events: events(own), date: plan.date, prefix: 'own' }))
      const carried = await carryOnKept(database, keeping, { work, files: own, events })
      if (carried === null) await writeAnew()
      else
        await write(carried).catch((error) => {
          // What was kept may be lost at any time.
          if (damageFailure(error) === null) throw error
          return writeAnew()
        })
      await run.note(keptStep(group), { from: own.map(({ path }) => path) } satisfies KeptGroup)
    },
  )
}

/** Null where nothing was kept that the day can be told from. */
async function carryOnKept(
  database: Database,
  keeping: Keeping,
  {
    work,
    files,
    events,
  }: { work: KeepWork; files: readonly LakeFile[]; events: (files: readonly LakeFile[]) => string },
): Promise<KeptEvents | null> {
  const { date } = work.plan
  const store = storeOf(work)
  const note = await store.read()
  if (note === null || !partsOf(work).every((part) => part in note.parts)) return null
  // Rows that were taken away since cannot be told from what was kept.
  const known = findHolders(files, work.lake.state.merged, note.from)
  if (known === null) return null
  const earlier = events(files.filter(({ path }) => known.has(path)))
  const late = files.filter(({ path }) => !known.has(path))
  const fresh = late.length === 0 ? null : events(late)
  const days = await changedDays(database, keeping, { before: note.date, date, fresh })
  if (days === null) return null
  const kept = keptIn(work, note.date, (part) => store.pathOf(note.parts[part]))
  return carryOn(database, keeping, { kept, news: { date, earlier, fresh }, days })
}

/** What is kept of a group that is done. */
export function keptOfGroup(work: Pick<KeepWork, 'run' | 'plan' | 'group' | 'predictor'>): KeptEvents {
  const { run, plan, group } = work
  return keptIn(work, plan.date, (part) => run.pathOf(fileOf(group, part)))
}

/** Keeps what a run worked out for the next one, unless it knows of a later day. */
export async function adoptKept(work: KeepWork): Promise<void> {
  const { plan, run, group } = work
  const done = await run.noteOf<KeptGroup>(keptStep(group))
  const store = storeOf(work)
  const known = await store.read()
  if (done === null || (known !== null && known.date > plan.date)) return
  const staged = Object.fromEntries(partsOf(work).map((part) => [part, run.pathOf(fileOf(group, part))]))
  await store.keep({ date: plan.date, from: [...done.from], staged }, plan.id)
}

function storeOf({ program, plan, lake, predictor, group }: KeepWork): KeptFiles {
  const { outcomes, meaning, value, timezone } = program
  const { eventTypes, hasOtherTypes, valuedTypes, properties, excluded } = predictor.catalogue
  const purpose = [
    codeVersion,
    form,
    { outcomes, meaning, annualValue: value.annualValue, timezone },
    { eventTypes, hasOtherTypes, valuedTypes, properties, excluded },
    lake.state.buckets,
  ]
  return new KeptFiles(lake.folder, purpose, plan.groups[group])
}

type Known = Pick<KeepWork, 'predictor'>

/** Each is a file. */
function partsOf({ predictor: { catalogue } }: Known): string[] {
  return [...Object.keys(kindMeasures(catalogue)), 'customers']
}

function keptIn(known: Known, date: KeptEvents['date'], path: (part: string) => string): KeptEvents {
  const relations = partsOf(known).map((part) => [
    part,
    `read_parquet(${quoteText(path(part))}, hive_partitioning = false)`,
  ])
  const { customers, ...kinds } = Object.fromEntries(relations)
  return { date, customers, kinds }
}

/** The step as it is noted. */
export function keptStep(group: number): string {
  return `kept-${group}`
}

function fileOf(group: number, part: string): string {
  return `kept-${group}-${part}.parquet`
}
