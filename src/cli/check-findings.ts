import { localDay } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { nearest } from '../domain/program-problems.ts'
import { partsBegin } from '../features/data-begins.ts'
import type { LakeState } from '../lake/commits.ts'
import { lastDayWithData } from '../lake/coverage.ts'
import { extraColumns } from '../lake/lake.ts'

/** Something a person should mend (`error`) or know (`warning`). */
export interface Finding {
  readonly level: 'error' | 'warning'
  readonly words: string
}

/** What the program file and the data do not agree on. `now`: the clock, ISO 8601. */
export function findProblems(program: Program, state: LakeState, now: string): Finding[] {
  return [
    ...typeProblems(program, state),
    ...valueProblems(program, state),
    ...initiativeProblems(program, state),
    ...futureDays(program, state, now),
  ]
}

/** Event types that the program file names and no source supplies: an error where one is spelled nearly so. */
function typeProblems(program: Program, state: LakeState): Finding[] {
  const named = namedTypes(program)
  const found = typesIn(state)
  const strangers = found.filter((type) => !named.some((one) => one.type === type))
  return named
    .filter(({ type }) => !found.includes(type))
    .map(({ place, type }): Finding => {
      const near = nearest(type, strangers)
      const words = `${place} names ${type}, which no source supplies.`
      return near === null
        ? { level: 'warning', words: `${words} Found: ${listed(found)}.` }
        : { level: 'error', words: `${words} Is it ${near}?` }
    })
}

function namedTypes({ outcomes, meaning, value }: Program): { place: string; type: string }[] {
  const places: [string, readonly string[]][] = [
    ...outcomes.map(({ name, eventTypes }): [string, readonly string[]] => [`outcomes.${name}`, eventTypes]),
    ...Object.entries(meaning).map(([part, types]): [string, readonly string[]] => [
      `meaning.${part}`,
      types,
    ]),
  ]
  if (value.annualValue && 'sumOf' in value.annualValue)
    places.push(['value.annual_value.sum_of', value.annualValue.sumOf])
  return places.flatMap(([place, types]) => types.map((type) => ({ place, type })))
}

function typesIn(state: LakeState): string[] {
  const readings = [...state.sources.values()].filter(({ table }) => table === 'events')
  return [...new Set(readings.flatMap(({ spans }) => Object.keys(spans)))].sort()
}

function valueProblems({ value }: Program, state: LakeState): Finding[] {
  if (!value.annualValue || !('column' in value.annualValue)) return []
  const { column } = value.annualValue
  const found = [...extraColumns(state, 'customers').keys()]
  if (column === 'annual_value' || found.includes(column)) return []
  const near = nearest(column, ['annual_value', ...found])
  const hint = near === null ? `Found: ${listed(found)}.` : `Is it ${near}?`
  const words = `value.annual_value.column names ${column}, which no source of customers has. ${hint}`
  return [{ level: 'error', words }]
}

/** Initiatives that the program file plans and no source supplies. */
function initiativeProblems({ initiatives }: Program, state: LakeState): Finding[] {
  const found = [...partsBegin(state, 'interventions').keys()].sort()
  return Object.keys(initiatives)
    .filter((name) => !found.includes(name))
    .map((name): Finding => {
      const near = nearest(name, found)
      const words = `initiatives names ${name}, which no source of interventions supplies.`
      return near === null
        ? { level: 'warning', words: `${words} Found: ${listed(found)}.` }
        : { level: 'error', words: `${words} Is it ${near}?` }
    })
}

function futureDays(program: Program, state: LakeState, now: string): Finding[] {
  const today = localDay(now, program.timezone)
  const last = lastDayWithData(program, state)
  if (last === null || last <= today) return []
  const words = `The last day with data, ${last}, lies after today, ${today}. Rows dated ahead, or a covers_until in the future, make train take that day as known.`
  return [{ level: 'warning', words }]
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ') || 'none'
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown
}
