import type { Day } from '../domain/days.ts'
import type { ColumnKind } from '../lake/commits.ts'

/** Windows, in whole local days before the cutoff, over which behaviour is counted. */
export const windowsDays = [7, 30, 90, 365] as const

/** One number or category known about a customer at a cutoff. */
export interface Feature {
  /** Unique within a catalogue. */
  readonly name: string
  readonly kind: 'number' | 'category'
  readonly unit: string
  /** Days before the cutoff it looks at; null: everything known. */
  readonly windowDays: number | null
  /** What it means, to be read by a person. */
  readonly words: string
  /** Event type, `type.property`, metric or attribute it comes from: what a leak guard or a driver names. */
  readonly origin: string
  /** What a person calls the thing, where that is wider than `origin`: the type of a property's event. */
  readonly behaviour?: string
}

/** A feature and the SQL expression that computes it from `spine` and the relation of its {@link FeaturePart}. */
export interface FeatureColumn {
  readonly feature: Feature
  readonly sql: string
}

/** Features computed from one relation with at most one row a spine row (or customer), such as the aggregates of one event type. */
export interface FeaturePart {
  /** What the expressions call the relation. Null: they need only `spine`. @param by column that says whose it is, of the spine too; default: `row` */
  readonly join: {
    readonly alias: string
    readonly relation: string
    readonly by?: 'row' | 'customer_id'
  } | null
  readonly columns: readonly FeatureColumn[]
  /** Not wanted this time: it has its names, and is not read. Absent: it is. */
  readonly isLeftOut?: boolean
}

/** What features are read from. */
export type BehaviourTable = 'events' | 'customers' | 'responses' | 'interventions'

/** Parts that are computed from the same scratch tables. */
export interface FeatureGroup {
  /** What the tables and parts are read from; null: from the spine alone. */
  readonly reads: BehaviourTable | null
  /** Scratch tables to be made first: name → select, which may use the tables before it. */
  readonly tables: Readonly<Record<string, string>>
  readonly parts: readonly FeaturePart[]
}

/** A property of one event type that carries something. */
export interface PropertyRef {
  readonly type: string
  readonly property: string
  readonly kind: ColumnKind
}

/**
 * What features are made from. Fixed by training and stored with the version, so that serving computes the same.
 */
export interface Catalogue {
  /** Event types with features of their own; the others are pooled. */
  readonly eventTypes: readonly string[]
  readonly hasOtherTypes: boolean
  /** Types whose events carry a value. */
  readonly valuedTypes: readonly string[]
  readonly properties: readonly PropertyRef[]
  readonly metrics: readonly string[]
  readonly attributes: readonly { readonly name: string; readonly kind: ColumnKind }[]
  readonly hasAnnualValue: boolean
  readonly initiatives: readonly string[]
  /** First day of what the sources of an event type supply; a window reaching before it is missing. */
  readonly beginsOn: Readonly<Record<string, Day>>
  /** The same for metrics. */
  readonly answersBeginOn: Readonly<Record<string, Day>>
  /** First day of any event. Null without events. */
  readonly eventsBeginOn: Day | null
  /** Origins left out, such as leaks: no feature names them, and events of such a type count nowhere. */
  readonly excluded: readonly string[]
}
