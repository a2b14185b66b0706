import type { TableName } from './program.ts'

/** Columns of the canonical tables; whatever else a source yields becomes a property or an attribute. */
export interface TableShape {
  readonly required: readonly string[]
  readonly optional: readonly string[]
  /** Prefix of the lake's columns for everything else, so that no name can clash. */
  readonly extraPrefix: string
}

export const tableShapes: Readonly<Record<TableName, TableShape>> = {
  events: { required: ['customer_id', 'at', 'type'], optional: ['value', 'event_id'], extraPrefix: 'prop_' },
  customers: {
    required: ['customer_id'],
    optional: ['valid_from', 'joined_at', 'observed_until', 'annual_value', 'account_id'],
    extraPrefix: 'attr_',
  },
  responses: {
    required: ['customer_id', 'at', 'metric', 'score'],
    optional: ['response_id', 'comment', 'touchpoint', 'channel', 'weight'],
    extraPrefix: 'prop_',
  },
  interventions: {
    required: ['customer_id', 'at', 'initiative', 'arm'],
    optional: ['cost', 'intervention_id'],
    extraPrefix: 'prop_',
  },
}

/** What may be answered: metric → lowest and highest score. */
export const metricRanges = { nps: [0, 10], csat: [1, 5], ces: [1, 7] } as const
export type Metric = keyof typeof metricRanges
export const metrics = Object.keys(metricRanges) as readonly Metric[]

/** Why a row could not be taken, in words for people. */
export const quarantineReasons = {
  no_customer: 'no customer_id',
  bad_time: 'a time that cannot be read',
  empty_time: 'a time at or before 1970-01-01, as an empty timestamp gives',
  far_future: 'a time more than a year in the future',
  no_type: 'no event type',
  bad_value: 'a number that is not finite or cannot be read',
  unknown_metric: 'a metric that is none of nps, csat, ces',
  score_out_of_range: "a score outside the metric's range, or an nps answer that is no whole number",
  no_arm: 'no initiative or no arm',
  malformed_line:
    'a line that has other columns than its header, quotes that do not end, or bytes that are not UTF-8',
  bad_property:
    'a property that is no text, number or truth value, too many of them, or a name or text that is too long',
  bad_text: 'a text that is too long, is none, or holds characters that are none',
  unknown_call: 'a call that is none of identify, track, page and screen',
  second_undated_row: 'a second, different row of the same customer without valid_from in one reading',
} as const
export type QuarantineReason = keyof typeof quarantineReasons
