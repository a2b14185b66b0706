import { z } from 'zod'
import { isDay, isTimezone } from './days.ts'
import { inboundSchema } from './inbound.ts'
import { amount, exactlyOne, oneOrMore, share, strict, text, wholeNumber } from './schema-parts.ts'

/** Keys that have a meaning in a later version, and none yet. */
export const reservedKeys: readonly string[] =
  'segments playbooks goals features sensitive retention themes survey_planner planned_dates'.split(' ')

/** Names that an outcome would share with a column of the predictions, a task or a metric. */
const takenNames = new Set(
  `program customer_id date model_version status reason annual_value value_at_risk expected_gain
   expected_value_12m next_likely segment top_drivers flags nps csat ces revenue margin contact_cost discount_rate constructor`.split(
    /\s+/,
  ),
)

const typeNames = oneOrMore(
  text('the name of an event type, as text'),
  'an event type or a list of them, such as [purchase]',
)

/** Exactly one of two keys, for the schema of editors. */
const eitherKey = (a: string, b: string) => ({ oneOf: [{ required: [a] }, { required: [b] }] })

const sourceSchema = strict({
  sql: text('a DuckDB select, as text')
    .optional()
    .describe('A DuckDB select that yields the canonical columns. Relative paths start at this file.'),
  file: text('a path or glob pattern of csv, csv.gz, json, ndjson or parquet files')
    .optional()
    .describe('A csv, csv.gz, json, ndjson or parquet file, or a glob pattern. Relative to this file.'),
  columns: z
    .record(
      text('the name of a canonical column'),
      text('the name of a column of the file, as text'),
      'a map from canonical names to those of the file, such as { customer_id: user }',
    )
    .optional()
    .describe("Canonical column → how the file calls it. Only with file; a select renames with 'as'."),
  covers_until: z
    .string('a day such as 2026-11-20')
    .refine(isDay, 'an existing day, written as 2026-11-20')
    .optional()
    .describe('Nothing is missing up to the end of this day, even where no row shows it.'),
  replace: z
    .boolean('true or false')
    .default(false)
    .describe(
      'Each reading is the full picture: what it no longer holds is gone. Otherwise readings append.',
    ),
})
  .superRefine((source, context) => {
    const problem = exactlyOne(source, 'sql', 'file')
    if (problem) context.addIssue({ code: 'custom', message: problem })
    if (source.columns && source.sql !== undefined && !problem) {
      const message = 'works only with file. Rename in the select instead: user as customer_id.'
      context.addIssue({ code: 'custom', path: ['columns'], message })
    }
  })
  .meta(eitherKey('sql', 'file'))

/** api: rows of the table come through the API alone. */
const sourceWords = 'a map with sql or file, a list of such maps, or the word api'
const byApi = z.string().regex(/^api$/, sourceWords)
const sources = (columns: string) =>
  z
    .union([sourceSchema, z.array(sourceSchema, sourceWords).min(1, sourceWords), byApi], sourceWords)
    .optional()
    .describe(
      `One source or a list; api where rows only come through the API, as they may beside any source. Columns: ${columns}`,
    )

const sourcesSchema = strict({
  events: sources('customer_id, at, type, value?, event_id? and any properties.'),
  customers: sources(
    'customer_id, valid_from?, joined_at?, observed_until?, annual_value?, account_id? and any attributes.',
  ),
  responses: sources(
    'response_id?, customer_id, at, metric (nps, csat, ces), score, comment?, touchpoint?, channel?, weight?.',
  ),
  interventions: sources('customer_id, at, initiative, arm, cost?.'),
})

const outcomeName =
  'a name of small letters, digits and _ that starts with a letter and has at most 40 characters'
const outcomeNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, outcomeName)
  .refine((name) => !takenNames.has(name) && !/^(nps|p)_/.test(name), {
    error: `${outcomeName}, and that is no column of the predictions`,
  })

const outcomeSchema = strict({
  absence_of: typeNames
    .optional()
    .describe('It happens where none of these events occurs within the horizon.'),
  event: typeNames.optional().describe('It happens with the first of these events within the horizon.'),
  desired: z.boolean('true or false').default(false).describe('More of it is better.'),
  terminal: z
    .boolean('true or false')
    .optional()
    .describe('After it the customer is gone. By default only an event outcome called churn is terminal.'),
})
  .superRefine((outcome, context) => {
    const problem = exactlyOne(outcome, 'absence_of', 'event')
    if (problem) context.addIssue({ code: 'custom', message: problem })
    if (outcome.terminal && outcome.absence_of !== undefined && !problem) {
      const message =
        'works only with event: an absence has no moment after which a customer is gone. Remove it.'
      context.addIssue({ code: 'custom', path: ['terminal'], message })
    }
  })
  .meta(eitherKey('absence_of', 'event'))

const annualValueSchema = strict({
  sum_of: typeNames.optional().describe('Add up the value of these events.'),
  days: wholeNumber('a whole number of days from 1 to 3660', 3660)
    .optional()
    .describe('Of so many days before the cutoff; 365 by default. Only with sum_of.'),
  column: text('the name of a column of customers').optional().describe('A column of customers holds it.'),
})
  .superRefine((value, context) => {
    const problem = exactlyOne(value, 'sum_of', 'column')
    if (problem) context.addIssue({ code: 'custom', message: problem })
    if (value.days !== undefined && value.column !== undefined && !problem) {
      context.addIssue({ code: 'custom', path: ['days'], message: 'works only with sum_of. Remove it.' })
    }
  })
  .meta(eitherKey('sum_of', 'column'))

const money = 'an amount in the currency of the program, 0 or more, such as 4.5'
const gain = z.number('an amount in the currency of the program, such as 120')
const valueShape = {
  annual_value: annualValueSchema.optional().describe('What a customer brings in a year.'),
  margin: amount(share, [0, 1]).optional().describe('Share of revenue that is kept, 0 to 1.'),
  contact_cost: amount(money).optional().describe('What one contact costs.'),
  discount_rate: amount(share, [0, 1])
    .optional()
    .describe('Yearly rate at which later money counts less, 0 to 1.'),
}

/** What outcomes are worth: any name where the outcomes are not known, else exactly theirs. */
function valueSchema(outcomes: readonly string[] | null) {
  if (outcomes === null) return z.object(valueShape).catchall(gain)
  const gains = Object.fromEntries(outcomes.map((name) => [name, gain.optional()]))
  return strict({ ...gains, ...valueShape })
}

const atRiskSchema = strict({
  active_within_days: wholeNumber('a whole number of days from 1 to 3660', 3660).describe(
    'Only customers with any event in so many days.',
  ),
}).describe('Who is scored on a day. Without it everybody who has joined and has not left.')

const meaningSchema = strict({
  usage: typeNames.optional().describe('The product or service was used.'),
  contact: typeNames.optional().describe('The customer turned to us: a ticket, a call.'),
  feedback: typeNames
    .optional()
    .describe('The customer told us something unasked: a feature request, a review.'),
  asked: typeNames.optional().describe('The customer was asked to answer a survey.'),
})

const initiativeSchema = strict({
  randomised: z
    .boolean('true or false')
    .optional()
    .describe('Chance alone decided who came into which arm. Without it the data are asked.'),
  control: text('the name of an arm').optional().describe('The arm that the others are compared with.'),
  shares: z
    .record(
      text('the name of an arm'),
      amount(share, [0, 1]),
      'a map from arms to shares, such as { control: 0.1, called: 0.9 }',
    )
    .optional()
    .describe('What share of customers was meant to come into each arm; by default all the same.'),
  primary: strict({
    metric: text('an outcome, nps, csat, ces, revenue or an event type').describe(
      'An outcome, nps, csat, ces, revenue or an event type.',
    ),
    horizon_days: wholeNumber('one of horizons_days', 366)
      .optional()
      .describe('One of horizons_days; by default the shortest that was observed.'),
  })
    .optional()
    .describe('What the initiative is judged by; by default the first outcome at the shortest horizon.'),
})

const initiativesSchema = z
  .record(
    text('the name of an initiative'),
    initiativeSchema,
    'a map from initiatives to what was planned, such as loyalty-call: { randomised: true }',
  )
  .describe('How initiatives were planned, which their rows do not tell.')

const timeOfDay = 'a local time of day from "00:00" to "23:59", in quotes, such as "05:00"'

const scheduleSchema = z
  .string(timeOfDay)
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, timeOfDay)
  .describe(
    'Local time at which a server or worker ingests, and predicts the day before. Without it whenever somebody asks.',
  )

const currencies = new Set(Intl.supportedValuesOf('currency'))
const horizons = 'a list of different whole numbers of days from 1 to 366, such as [30, 60, 90]'

/**
 * The schema of a program file. `outcomes` are the names of its outcomes, which may be keys of `value`;
 * null takes any.
 */
export function programSchema(outcomes: readonly string[] | null) {
  return strict({
    program: z
      .string('a name, as text')
      .regex(
        /^[a-z0-9][a-z0-9-]{0,47}$/,
        'small letters, digits and -, up to 48 characters, such as online-retail',
      )
      .describe('Name of the program: small letters, digits and -, up to 48 characters.'),
    population: z.enum(['customer', 'employee', 'partner']).default('customer').describe('Who is predicted.'),
    currency: z
      .string('a currency code such as EUR')
      .refine((code) => currencies.has(code), 'a currency code of ISO 4217, such as EUR or GBP')
      .default('EUR')
      .describe('Currency of every amount, as an ISO 4217 code. It names amounts; nothing is converted.'),
    timezone: z
      .string('a timezone such as Europe/London')
      .refine(isTimezone, 'a timezone of the IANA database, such as Europe/London')
      .default('UTC')
      .describe('IANA timezone in which days are cut.'),
    schedule: scheduleSchema.optional(),
    horizons_days: z
      .array(wholeNumber('a whole number of days from 1 to 366', 366), horizons)
      .min(1, horizons)
      .refine((days) => new Set(days).size === days.length, horizons)
      .default([30, 60, 90])
      .describe('How many days ahead outcomes are predicted.'),
    sources: sourcesSchema
      .default({})
      .describe('Where rows come from. Without any they come through the API.'),
    inbound: inboundSchema,
    outcomes: z
      .record(
        outcomeNameSchema,
        outcomeSchema,
        'a map from names to outcomes, such as churn: { event: [cancel] }',
      )
      .optional()
      .describe('What may happen within a horizon: name → by which events, or by whose absence.'),
    at_risk: atRiskSchema.optional(),
    meaning: meaningSchema.optional().describe('Event types that play a part Loyalcast knows.'),
    value: valueSchema(outcomes)
      .optional()
      .describe('Money. What is missing stays unknown; it is never guessed.'),
    initiatives: initiativesSchema.optional(),
    accept_leaks: z
      .array(text('the name of a feature or attribute'), 'a list of names of features or attributes')
      .default([])
      .describe('Features and attributes to use although they look as if they gave the outcome away.'),
  })
}

/** A program file as read, before defaults that depend on other keys. */
export type ProgramText = z.output<ReturnType<typeof programSchema>>
export type SourceText = z.output<typeof sourceSchema>

/** The JSON Schema of program files, for editors. `${NAME}` may stand wherever a value is expected. */
export function schemaOfProgram(): Record<string, unknown> {
  const schema = z.toJSONSchema(programSchema(null), {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) !== 'propertyNames' && takesNoReference(jsonSchema)) allowReference(jsonSchema)
    },
  })
  return { title: 'Loyalcast program', ...schema }
}

function takesNoReference({ type, enum: names, pattern }: z.core.JSONSchema.BaseSchema): boolean {
  return names !== undefined || pattern !== undefined || /number|integer|boolean/.test(String(type))
}

function allowReference(schema: z.core.JSONSchema.BaseSchema): void {
  const { description, default: preset, ...rest } = schema
  for (const key of Object.keys(rest)) delete schema[key]
  schema.anyOf = [rest as z.core.JSONSchema.JSONSchema, { type: 'string', pattern: '^\\$\\{.*\\}$' }]
}
