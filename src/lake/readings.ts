import type { Program, Source } from '../domain/program.ts'
import { apiSourceKey, tableNames } from '../domain/program.ts'
import type { LakeState, SourceReading } from './commits.ts'

/** The sources of a program beside what the lake holds of them. */
export interface MatchedSources {
  /** Key of a source → its earlier reading, by whatever key. */
  readonly earlier: ReadonlyMap<string, SourceReading>
  /** Sources that moved within the program file: old key → new key. */
  readonly renamed: Readonly<Record<string, string>>
  /** Readings whose source is gone from the program file. */
  readonly forgotten: readonly SourceReading[]
}

/** What a source reads and how, the environment filled in. */
export function definitionOf({ sql, file, columns, isFullPicture }: Source): string {
  return JSON.stringify({ sql, file, columns, isFullPicture })
}

/** Whether a source holds what was sent through the API: no program file takes it away, nor does a rebuild. */
export function isSent({ key, table }: Pick<SourceReading, 'key' | 'table'>): boolean {
  return key === apiSourceKey(table)
}

/** All sources of a program, in the order in which they are read. */
export function sourcesOf(program: Program): Source[] {
  return tableNames.flatMap((table) => program.sources[table])
}

/**
 * Finds the earlier reading of each source. A place in a list is no name: a source that moved is known by its
 * definition, or by its meaning where it reads another file now. What is left takes over its own place: its definition
 * has changed.
 */
export function matchSources(program: Program, state: LakeState): MatchedSources {
  const earlier = new Map<string, SourceReading>()
  const left = new Map([...state.sources].filter(([, reading]) => !isSent(reading)))
  const rules: ((source: Source, reading: SourceReading) => boolean)[] = [
    (source, reading) => reading.key === source.key && reading.definition === definitionOf(source),
    (source, reading) => reading.definition === definitionOf(source),
    (source, reading) => reading.key === source.key && reading.meaning === source.meaning,
    (source, reading) => reading.meaning === source.meaning,
    (source, reading) => reading.key === source.key,
  ]
  for (const isSame of rules) {
    for (const source of sourcesOf(program).filter(({ key }) => !earlier.has(key))) {
      const found = [...left.values()].find(
        (reading) => reading.table === source.table && isSame(source, reading),
      )
      if (!found) continue
      earlier.set(source.key, found)
      left.delete(found.key)
    }
  }
  const moved = [...earlier].filter(([key, reading]) => reading.key !== key)
  return {
    earlier: new Map([...earlier].map(([key, reading]) => [key, { ...reading, key }])),
    renamed: Object.fromEntries(moved.map(([key, reading]) => [reading.key, key])),
    forgotten: [...left.values()],
  }
}
