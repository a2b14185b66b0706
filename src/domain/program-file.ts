import { type Environment, fillReferences } from './environment.ts'
import { resolveInbound } from './inbound.ts'
import { readYaml } from './located-yaml.ts'
import {
  type AnnualValue,
  type Outcome,
  type Program,
  type Source,
  type TableName,
  tableNames,
} from './program.ts'
import { type Problem, problemsOf } from './program-problems.ts'
import { type ProgramText, programSchema, type SourceText } from './program-schema.ts'
import { blankPaths } from './source-paths.ts'

/** Where a program file lies, and what fills its references. */
export interface ProgramOrigin {
  /** As the user wrote it; errors name it. */
  readonly path: string
  /** The folder in which relative paths start. */
  readonly folder: string
  readonly environment: Environment
}

/**
 * Reads the text of a program file. Paths stay as written: `absolutePaths` resolves them.
 *
 * **Errors** `program-syntax` (not YAML), `program-environment` (a variable that is not set) and
 * `program-invalid` (a key or a value). One error lists all problems of its kind with file, line and place.
 */
export function parseProgram(text: string, { path, folder, environment }: ProgramOrigin): Program {
  const yaml = readYaml(text, path)
  const refuse = (code: string, problems: readonly Problem[]) => {
    if (problems.length > 0) throw yaml.error(code, problems)
  }
  const written = yaml.values()
  refuse('program-environment', fillReferences(yaml.document, environment))
  const filled = yaml.values()
  const parsed = programSchema(outcomeNames(filled)).safeParse(filled)
  if (!parsed.success) throw yaml.error('program-invalid', problemsOf(parsed.error, filled))
  refuse('program-invalid', contradictions(parsed.data))
  return resolveProgram(parsed.data, written as ProgramText, folder)
}

/** The names under `outcomes`, whether or not they are valid ones. */
function outcomeNames(data: unknown): string[] {
  const outcomes = (data as { outcomes?: unknown } | null)?.outcomes
  return typeof outcomes === 'object' && outcomes !== null ? Object.keys(outcomes) : []
}

/** What can't be true together although each key alone is valid. */
function contradictions({
  sources,
  outcomes = {},
  meaning = {},
  value,
  at_risk,
  initiatives = {},
}: ProgramText): Problem[] {
  const problems: Problem[] = []
  const need = (table: TableName, path: readonly PropertyKey[], why: string) => {
    if (!isSupplied(sources, table))
      problems.push({
        path,
        message: `${why}, but there is no sources.${table}. Add it. Where its rows come through the API alone, say ${table}: api.`,
      })
  }
  if (!tableNames.some((table) => table !== 'interventions' && isSupplied(sources, table))) {
    problems.push({
      path: ['sources'],
      message: 'tells nothing about customers. Add events, customers or responses.',
    })
  }
  if (Object.keys(outcomes).length === 0 && !isSupplied(sources, 'responses')) {
    problems.push({
      path: [],
      message: 'nothing to predict. Add outcomes, or survey answers as sources.responses.',
    })
  }
  for (const name of Object.keys(outcomes)) need('events', ['outcomes', name], 'names event types')
  for (const name of Object.keys(initiatives))
    need('interventions', ['initiatives', name], 'tells of an initiative')
  for (const part of Object.keys(meaning)) need('events', ['meaning', part], 'names event types')
  if (at_risk) need('events', ['at_risk', 'active_within_days'], 'counts events')
  if (value?.annual_value?.sum_of) need('events', ['value', 'annual_value', 'sum_of'], 'adds up events')
  if (value?.annual_value?.column)
    need('customers', ['value', 'annual_value', 'column'], 'is a column of customers')
  return problems
}

/** Without any source all rows come through the API. */
function isSupplied(sources: ProgramText['sources'], table: TableName): boolean {
  return sources[table] !== undefined || Object.keys(sources).length === 0
}

function resolveProgram(program: ProgramText, written: ProgramText, folder: string): Program {
  const { meaning } = program
  const sourcesOf = (table: TableName) => resolveSources(table, program, written)
  return {
    name: program.program,
    population: program.population,
    currency: program.currency,
    timezone: program.timezone,
    schedule: program.schedule ?? null,
    horizonsDays: program.horizons_days.toSorted((a, b) => a - b),
    sources: {
      events: sourcesOf('events'),
      customers: sourcesOf('customers'),
      responses: sourcesOf('responses'),
      interventions: sourcesOf('interventions'),
    },
    outcomes: resolveOutcomes(program),
    activeWithinDays: program.at_risk?.active_within_days ?? null,
    meaning: {
      usage: listOf(meaning?.usage),
      contact: listOf(meaning?.contact),
      feedback: listOf(meaning?.feedback),
      asked: listOf(meaning?.asked),
    },
    value: resolveValue(program),
    initiatives: resolveInitiatives(program),
    acceptLeaks: program.accept_leaks,
    inbound: resolveInbound(program.inbound),
    folder,
  }
}

function resolveSources(table: TableName, program: ProgramText, written: ProgramText): Source[] {
  const read = program.sources[table]
  if (typeof read === 'string') return []
  const asWritten = listOf(written.sources?.[table] as SourceText | SourceText[] | undefined)
  return listOf(read).map((source, index) => ({
    key: `${table}[${index}]`,
    table,
    meaning: meaningOf(asWritten[index]!),
    sql: source.sql ?? null,
    file: source.file ?? null,
    columns: source.columns ?? {},
    coversUntil: source.covers_until ?? null,
    isFullPicture: source.replace,
  }))
}

/** What a source makes of the files it reads; not which files, how far they reach or whether they replace. */
function meaningOf({ sql, columns = {} }: SourceText): string {
  if (sql !== undefined) return JSON.stringify({ sql: blankPaths(sql).trim() })
  return JSON.stringify({ columns: Object.entries(columns).toSorted(([a], [b]) => (a < b ? -1 : 1)) })
}

function resolveOutcomes({ outcomes = {} }: ProgramText): Outcome[] {
  return Object.entries(outcomes).map(([name, { event, absence_of, desired, terminal }]) => ({
    name,
    kind: event === undefined ? 'absence' : 'event',
    eventTypes: listOf(event ?? absence_of),
    isDesired: desired,
    isTerminal: terminal ?? (name === 'churn' && event !== undefined),
  }))
}

function resolveInitiatives({ initiatives = {} }: ProgramText): Program['initiatives'] {
  const plans = Object.entries(initiatives).map(([name, { randomised, control, shares, primary }]) => [
    name,
    {
      isRandomised: randomised ?? null,
      control: control ?? null,
      shares: shares ?? null,
      primary: primary ? { metric: primary.metric, horizonDays: primary.horizon_days ?? null } : null,
    },
  ])
  return Object.fromEntries(plans)
}

function resolveValue({ value = {}, outcomes = {} }: ProgramText): Program['value'] {
  const gains = Object.entries(value).filter(
    ([name, gain]) => Object.hasOwn(outcomes, name) && typeof gain === 'number',
  )
  return {
    annualValue: resolveAnnualValue(value.annual_value),
    margin: value.margin ?? null,
    gains: Object.fromEntries(gains) as Record<string, number>,
    contactCost: value.contact_cost ?? null,
    discountRate: value.discount_rate ?? null,
  }
}

function resolveAnnualValue(value: NonNullable<ProgramText['value']>['annual_value']): AnnualValue | null {
  if (value?.column !== undefined) return { column: value.column }
  return value ? { sumOf: listOf(value.sum_of), days: value.days ?? 365 } : null
}

/** One or a list, as a list without repetitions. */
function listOf<T>(oneOrMore: T | readonly T[] | undefined): T[] {
  if (oneOrMore === undefined) return []
  return [...new Set(Array.isArray(oneOrMore) ? oneOrMore : [oneOrMore as T])]
}
