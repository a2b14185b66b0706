import type { Day } from './days.ts'

/** The four canonical tables that sources fill. */
export const tableNames = ['events', 'customers', 'responses', 'interventions'] as const
export type TableName = (typeof tableNames)[number]

/** Key of the rows of a table that were sent through the API: it stands in no program file. */
export function apiSourceKey(table: TableName): string {
  return `${table}[api]`
}

/** Where rows come from: a `select` or a file, and how its columns are called. */
export interface Source {
  /** Place in the program file, such as `events[0]`. */
  readonly key: string
  readonly table: TableName
  /** The text as written, before the environment was filled in and with file paths blanked: what it *means*. */
  readonly meaning: string
  readonly sql: string | null
  readonly file: string | null
  /** Canonical column → column of the file. Empty for `sql`. */
  readonly columns: Readonly<Record<string, string>>
  /** Nothing is missing up to the end of this day, even where no row shows it. */
  readonly coversUntil: Day | null
  /** Each reading is the full picture. */
  readonly isFullPicture: boolean
}

/** What may happen within a horizon. */
export interface Outcome {
  readonly name: string
  /** `event`: the first of the types happened. `absence`: none of them did. */
  readonly kind: 'event' | 'absence'
  readonly eventTypes: readonly string[]
  /** True where more of it is better. */
  readonly isDesired: boolean
  /** After it the customer is gone: no longer at risk, and nothing else happens. */
  readonly isTerminal: boolean
}

export type AnnualValue =
  | { readonly column: string }
  | { readonly sumOf: readonly string[]; readonly days: number }

/** Money, in the program's currency. What is missing is null; it is never guessed. */
export interface ValueDefinition {
  readonly annualValue: AnnualValue | null
  /** Share of revenue kept, 0 to 1. */
  readonly margin: number | null
  /** Amount gained by outcome name. */
  readonly gains: Readonly<Record<string, number>>
  readonly contactCost: number | null
  readonly discountRate: number | null
}

/** Which event types play a part that Loyalcast knows. */
export interface Meaning {
  readonly usage: readonly string[]
  readonly contact: readonly string[]
  readonly feedback: readonly string[]
  readonly asked: readonly string[]
}

/** Which rows the documents are that a tool of others posts. Places are JSON pointers (RFC 6901). */
export interface InboundMapping {
  readonly table: TableName
  /** Of the list whose entries are rows; null: a document is one row. */
  readonly each: string | null
  /** Column → where its value is: within an entry where there is a list, within the whole document after `#`. */
  readonly columns: Readonly<Record<string, string>>
  /** Column → what it always is. */
  readonly constants: Readonly<Record<string, string | number | boolean>>
}

/** How an initiative was planned, as far as the program file tells. */
export interface InitiativePlan {
  /** Whether chance alone decided who came into which arm; null: not told. */
  readonly isRandomised: boolean | null
  /** The arm that the others are compared with. */
  readonly control: string | null
  /** Share of customers meant for each arm; null: all the same. */
  readonly shares: Readonly<Record<string, number>> | null
  /** What it is judged by; horizon null: the shortest that was observed. */
  readonly primary: { readonly metric: string; readonly horizonDays: number | null } | null
}

/** One population of one organisation with its data, definitions and models. */
export interface Program {
  readonly name: string
  readonly population: 'customer' | 'employee' | 'partner'
  readonly currency: string
  readonly timezone: string
  /** When the day before is predicted, as local time such as `05:00`; null: when somebody asks for it. */
  readonly schedule: string | null
  /** Ascending. */
  readonly horizonsDays: readonly number[]
  readonly sources: Readonly<Record<TableName, readonly Source[]>>
  readonly outcomes: readonly Outcome[]
  /** Only customers with any event in so many days are scored; null: all. */
  readonly activeWithinDays: number | null
  readonly meaning: Meaning
  readonly value: ValueDefinition
  readonly initiatives: Readonly<Record<string, InitiativePlan>>
  /** Features and attributes that may be used although they look as if they gave the outcome away. */
  readonly acceptLeaks: readonly string[]
  /** Name → which rows the documents are that a tool posts. */
  readonly inbound: Readonly<Record<string, InboundMapping>>
  /** Folder of the program file: relative paths start here. */
  readonly folder: string
}
