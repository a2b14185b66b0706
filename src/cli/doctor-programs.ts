import { existsSync } from 'node:fs'
import { controlPath, openControl } from '../control/control.ts'
import { addDays, localDay } from '../domain/days.ts'
import { LoyalcastError } from '../domain/errors.ts'
import { type Program, type TableName, tableNames } from '../domain/program.ts'

import type { LakeState } from '../lake/commits.ts'
import { LakeReader } from '../lake/lake-reader.ts'
import { Registry } from '../model/registry.ts'
import type { Context } from './context.ts'

/** What is there of a program. */
export interface FoundProgram {
  readonly program: string
  /** By table. */
  readonly rows: Readonly<Record<TableName, number>>
  /** The last day of which there is a row, or that is declared to be covered. */
  readonly data_until: string | null
  readonly predicted_days: number
  readonly latest_day: string | null
  /** When predictions were published last. */
  readonly last_daily: string | null
  readonly versions: number
  readonly champion: string | null
  readonly problems: readonly string[]
}

/** Looks into the lake, the versions and the control database of a program; changes nothing. */
export async function findProgram(context: Context, path: string, program: Program): Promise<FoundProgram> {
  const registry = new Registry(context.modelsFolder, program.name)
  const [versions, champion] = [await registry.versions(), await registry.champion()]
  const [state, damage] = await tried(
    async () => (await new LakeReader(context.dataFolder, program).current()).state,
  )
  const [, unopened] = await tried(() => openIfThere(context.dataFolder, program))
  const found = { ...lakeFacts(state, context.now), versions: versions.length, champion }
  const lacks = damage === null ? problemsOf(path, program.name, found) : [damage]
  const gone = champion !== null && !versions.includes(champion)
  return {
    program: program.name,
    ...found,
    problems: [
      ...lacks,
      ...(gone
        ? [
            `${program.name}: the folder of its version ${champion} is gone. Restore it, or run loyalcast models ${path} rollback.`,
          ]
        : []),
      ...(unopened === null ? [] : [unopened]),
    ],
  }
}

/** The result, or the sentence of what went wrong. */
async function tried<T>(work: () => Promise<T>): Promise<[result: T | null, problem: string | null]> {
  try {
    return [await work(), null]
  } catch (error) {
    if (error instanceof LoyalcastError) return [null, error.message]
    throw error
  }
}

async function openIfThere(dataFolder: string, program: Program): Promise<void> {
  if (existsSync(controlPath(dataFolder, program))) await (await openControl(dataFolder, program)).close()
}

type LakeFacts = Omit<FoundProgram, 'program' | 'versions' | 'champion' | 'problems'>

function lakeFacts(state: LakeState | null, now: string): LakeFacts {
  const files = state?.files ?? []
  const rowsOf = (table: TableName) =>
    files.filter((file) => file.table === table).reduce((sum, { rows }) => sum + rows, 0)
  const days = [...(state?.predictions.keys() ?? [])].sort()
  const today = localDay(now, state?.timezone ?? 'UTC')
  const dataDays = [...(state?.sources.values() ?? [])].flatMap(({ spans }) =>
    Object.values(spans).map(({ lastDay }) => lastDay),
  )
  return {
    rows: Object.fromEntries(tableNames.map((table) => [table, rowsOf(table)])) as LakeFacts['rows'],
    data_until:
      dataDays
        .filter((day) => day <= today)
        .sort()
        .at(-1) ?? null,
    predicted_days: days.length,
    latest_day: days.at(-1) ?? null,
    last_daily: state?.predictedAt ?? null,
  }
}

function problemsOf(path: string, name: string, found: Omit<FoundProgram, 'program' | 'problems'>): string[] {
  const { rows, champion, latest_day, data_until } = found
  if (Object.values(rows).every((count) => count === 0))
    return [`${name} has no rows yet. Run loyalcast ingest ${path}.`]
  if (champion === null)
    return [`${name} has no version that serves: nothing can be predicted. Run loyalcast train ${path}.`]
  if (latest_day === null)
    return [`${name} has no predictions yet. Run loyalcast daily ${path} --date ${data_until ?? 'DAY'}.`]
  // The last day with rows may not be over.
  if (data_until !== null && latest_day < addDays(data_until, -1))
    return [
      `The latest predictions of ${name} are of ${latest_day}, though there are data up to ${data_until}. Run loyalcast daily ${path} --date ${data_until}.`,
    ]
  return []
}
