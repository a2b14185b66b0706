import type { Program } from '../domain/program.ts'
import { quoteText } from '../lake/database.ts'
import type { Catalogue } from './catalogue.ts'
import {
  countMeasures,
  type Measure,
  propertyMeasures,
  propertyNames,
  propertyTable,
  valueMeasures,
} from './event-aggregates.ts'
import { terminalTypes } from './terminal-types.ts'

/** What is kept, and for which program: two programs, or catalogues, that differ in it keep other things. */
export interface Keeping {
  readonly program: Pick<Program, 'outcomes' | 'meaning' | 'value'>
  readonly catalogue: Catalogue
}

/**
 * What events are told apart by, before they are added up by customer: the types that a program or a catalogue names,
 * numbered from 1 in the order of the kinds; 0 are all others.
 */
export class EventClasses {
  readonly #types: readonly string[]
  readonly #catalogue: Catalogue

  constructor({ program, catalogue }: Keeping) {
    const { usage, contact, feedback } = program.meaning
    this.#catalogue = catalogue
    this.#types = [
      ...new Set([
        ...catalogue.eventTypes,
        ...catalogue.excluded,
        ...terminalTypes(program),
        ...usage,
        ...contact,
        ...feedback,
      ]),
    ]
  }

  /** SQL of an event's class. */
  get sql(): string {
    return `coalesce(list_position([${this.#types.map(quoteText).join(', ')}]::varchar[], type), 0)::usmallint`
  }

  /** Those of some types. */
  of(types: readonly string[]): number[] {
    return [...new Set(types.map((type) => this.#types.indexOf(type) + 1))]
  }

  /** Those of the types with features of their own, each the number of its kind. */
  get kinds(): number[] {
    const { eventTypes, excluded } = this.#catalogue
    return this.of(eventTypes.filter((type) => !excluded.includes(type)))
  }

  /** Those of all other types that count. */
  get pooled(): number[] {
    const { kinds } = this
    return this.counted.filter((one) => !kinds.includes(one))
  }

  /** Those that count: of any kind. */
  get counted(): number[] {
    return [0, ...this.of(this.#types.filter((type) => !this.#catalogue.excluded.includes(type)))]
  }
}

/** SQL: whether a row of sums is of one of the classes. */
export function isOfClass(classes: readonly number[]): string {
  return classes.length === 0 ? 'false' : `class in (${classes.join(', ')})`
}

/** What is kept by customer and kind of event: table → its columns. */
export function kindMeasures(catalogue: Catalogue): Record<string, readonly Measure[]> {
  const properties = propertyNames(catalogue).map((name): [string, Measure[]] => [
    propertyTable(catalogue, name),
    propertyMeasures(catalogue, name),
  ])
  return {
    events_by_type: [...countMeasures, { name: 'days_all', sql: 'sum(days)', joins: 'count' }],
    ...(catalogue.valuedTypes.length > 0 && { values_by_type: valueMeasures }),
    ...Object.fromEntries(properties),
  }
}

/** Facts of a customer whatever the kind of event, also of excluded types and of later days, from sums by class. */
export function factMeasures({ program, catalogue }: Keeping): Measure[] {
  const { usage, contact, feedback } = program.meaning
  const classes = new EventClasses({ program, catalogue })
  const terminal = isOfClass(classes.of(terminalTypes(program)))
  const counted = isOfClass(classes.counted)
  const count = (name: string, sum: string, types: readonly string[] | null): Measure => ({
    name,
    sql: `sum(${sum})${types === null ? '' : ` filter (where ${isOfClass(classes.of(types))})`}`,
    joins: 'count',
  })
  const used = usage.length > 0 ? usage : null
  return [
    {
      name: 'first_dated',
      sql: `min(least(first_day, later_day)) filter (where not ${terminal})`,
      joins: 'min',
    },
    { name: 'seen_until', sql: 'max(last_day)', joins: 'max' },
    { name: 'ended_at', sql: `max(last_at) filter (where ${terminal})`, joins: 'max' },
    count('contacts_90', 'count_90', [...contact, ...feedback]),
    count('feedback_30', 'count_30', feedback),
    count('usage_30', 'count_30', used),
    count('usage_before_30', 'count_before_30', used),
    { name: 'count_30', sql: `sum(count_30) filter (where ${counted})`, joins: 'count' },
    { name: 'count_before_30', sql: `sum(count_before_30) filter (where ${counted})`, joins: 'count' },
    { name: 'first_day', sql: `min(first_day) filter (where ${counted})`, joins: 'min' },
    { name: 'last_day', sql: `max(last_day) filter (where ${counted})`, joins: 'max' },
  ]
}

/** Days over which a customer's worth is added up; null: it is no sum of events. */
export function worthDays({ annualValue }: Keeping['program']['value']): number | null {
  return annualValue !== null && 'sumOf' in annualValue ? annualValue.days : null
}

/** What a customer was worth, where that is a sum of events. */
export function worthMeasures({ value }: Keeping['program']): Measure[] {
  return worthDays(value) === null ? [] : [{ name: 'worth', sql: 'sum(value::decimal(18, 4))', joins: 'sum' }]
}

/** On how many days a customer was active, whatever it did. */
export const dayMeasures: readonly Measure[] = ['days_30', 'days_90', 'days_all'].map((name) => ({
  ...{ name, sql: '' },
  joins: 'count',
}))

/** All that is kept by customer. */
export function customerMeasures(keeping: Keeping): Measure[] {
  return [...factMeasures(keeping), ...dayMeasures, ...worthMeasures(keeping.program)]
}
