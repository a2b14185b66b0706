import type { Outcome } from '../../src/domain/program.ts'
import type { Catalogue, Feature } from '../../src/features/catalogue.ts'
import type { AnswerDays, Dataset } from '../../training/dataset.ts'

export interface MadeRow {
  readonly customer: number
  /** In days since 1970-01-01. */
  readonly cutoff: number
  /** Days to the event after the cutoff; NaN: none. */
  readonly event?: number
  /** Days known after the cutoff. */
  readonly known?: number
  readonly isPopulation?: boolean
  readonly features?: Readonly<Record<string, number | string | null>>
}

export const churn: Outcome = {
  name: 'churn',
  kind: 'event',
  eventTypes: ['leave'],
  isDesired: false,
  isTerminal: true,
}

export const emptyCatalogue: Catalogue = {
  eventTypes: [],
  hasOtherTypes: false,
  valuedTypes: [],
  properties: [],
  metrics: [],
  attributes: [],
  hasAnnualValue: false,
  initiatives: [],
  beginsOn: {},
  answersBeginOn: {},
  eventsBeginOn: null,
  excluded: [],
}

/** A dataset of these rows with one outcome, without any lake. */
export function madeDataset(
  rows: readonly MadeRow[],
  more: { outcome?: Outcome; answers?: AnswerDays; catalogue?: Partial<Catalogue> } = {},
): Dataset {
  const names = [...new Set(rows.flatMap(({ features = {} }) => Object.keys(features)))]
  const columns = names.map((name) => {
    const values = rows.map(({ features = {} }) => features[name] ?? null)
    const isText = values.some((value) => typeof value === 'string')
    return isText
      ? (values as (string | null)[])
      : Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value)))
  })
  const features = names.map(
    (name, index): Feature => ({
      name,
      kind: columns[index] instanceof Float64Array ? 'number' : 'category',
      unit: '',
      windowDays: null,
      words: name,
      origin: name,
    }),
  )
  return {
    frame: { rows: rows.length, features, columns },
    customer: Int32Array.from(rows, ({ customer }) => customer),
    cutoff: Int32Array.from(rows, ({ cutoff }) => cutoff),
    isPopulation: Uint8Array.from(rows, ({ isPopulation = true }) => (isPopulation ? 1 : 0)),
    outcomes: rows.some(({ known }) => known !== undefined)
      ? [
          {
            outcome: more.outcome ?? churn,
            event: Float64Array.from(rows, ({ event = Number.NaN }) => event),
            known: Float64Array.from(rows, ({ known = -1 }) => known),
          },
        ]
      : [],
    answers: more.answers ?? null,
    responding: null,
    catalogue: { ...emptyCatalogue, ...more.catalogue },
    plan: { kind: 'grid', days: [], stepDays: 30 },
    sampledShare: 1,
  }
}
