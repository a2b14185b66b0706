import { z } from 'zod'
import { failure } from '../domain/errors.ts'

const program = z.string().meta({ description: 'Which program', examples: ['my-shop'] })

const dayReady = z.object({
  program,
  date: z.string().meta({ description: 'The day that is predicted', examples: ['2026-11-20'] }),
  model_version: z.string().meta({ examples: ['2026-11-01-1'] }),
  customers: z
    .number()
    .int()
    .meta({ description: 'Rows of the day', examples: [1200] }),
  predicted: z
    .number()
    .int()
    .meta({ description: 'Rows with at least one number', examples: [1180] }),
  lake_commit: z.number().int().meta({ description: 'State of the data that was predicted from' }),
  is_replaced: z.boolean().meta({ description: 'The day had predictions before, which these replace' }),
})

const shifted = z.object({
  program,
  date: z.string().meta({ description: 'The day that was published', examples: ['2026-11-20'] }),
  since: z.string().meta({ description: 'The day before it that has predictions', examples: ['2026-11-19'] }),
  new: z
    .number()
    .int()
    .meta({ description: 'Customers who were not at risk before', examples: [3] }),
  gone: z
    .number()
    .int()
    .meta({ description: 'Customers who are not any more', examples: [2] }),
  moved: z
    .number()
    .int()
    .meta({ description: 'Customers whose forecast moved beyond what is usual', examples: [17] }),
  customers: z
    .array(
      z.object({
        customer_id: z.string(),
        figure: z.string().meta({ description: 'What moved most', examples: ['churn_90'] }),
        before: z.number(),
        after: z.number(),
        cause: z.enum(['behaviour', 'model']).nullable(),
      }),
    )
    .max(20)
    .meta({ description: 'Those who moved most, up to 20' }),
})

const promoted = z.object({
  program,
  version: z.string().meta({ description: 'Serves from now on', examples: ['2026-11-01-1'] }),
  previous: z.string().nullable().meta({ description: 'Served before it' }),
  action: z.enum(['promote', 'rollback']),
  reason: z.string().meta({ examples: ['passed the gate'] }),
})

const jobFinished = z.object({
  program,
  job_id: z.string(),
  status: z.enum(['done', 'failed', 'cancelled', 'interrupted']),
  scenario_id: z.string().nullable().meta({ description: 'The saved scenario that it asked' }),
})

const ping = z.object({ program, webhook_id: z.string().meta({ description: 'The webhook that is tried' }) })

interface EventKind {
  /** In a few words. */
  readonly summary: string
  /** When it is sent, and what to do then. */
  readonly description: string
  readonly data: z.ZodObject
}

/**
 * Every event that webhooks are sent: type → its data. Events are thin: they say what to fetch. To add one, name it
 * here and give a {@link WebhookSource} that yields it; what no source yields does not belong here.
 */
export const eventCatalogue = {
  'prediction.day_ready': {
    summary: 'A day of predictions can be read',
    description:
      'Sent once a day is published, and again when it is replaced. Read it at `/v1/programs/{program}/predictions?date={date}`.',
    data: dayReady,
  },
  'customer.shifted': {
    summary: 'Forecasts of customers moved',
    description:
      'Sent once for each day that is published behind another, with those who moved most. All are at `/v1/programs/{program}/changes?since={since}&date={date}`.',
    data: shifted,
  },
  'model.promoted': {
    summary: 'Another model version serves',
    description:
      'Sent after a promotion and after a rollback. Days that are predicted from now on come from `version`; its card stands in `/v1/programs/{program}/models`.',
    data: promoted,
  },
  'job.finished': {
    summary: 'A question has been answered in the background',
    description: 'Or could not be. Read the result at `/v1/programs/{program}/jobs/{job_id}`.',
    data: jobFinished,
  },
  ping: {
    summary: 'A try',
    description: 'Sent when somebody tries a webhook, to that webhook only.',
    data: ping,
  },
} as const satisfies Readonly<Record<string, EventKind>>

export type EventType = keyof typeof eventCatalogue
export type EventData<T extends EventType> = z.input<(typeof eventCatalogue)[T]['data']>

export const eventTypes = Object.keys(eventCatalogue) as readonly EventType[]
/** Those that can be asked for; a ping comes unasked. */
export const wantedEventTypes = eventTypes.filter((type) => type !== 'ping') as readonly Exclude<
  EventType,
  'ping'
>[]

/** Something that happened. */
export interface WebhookEvent {
  readonly type: EventType
  /** When it happened, ISO 8601. */
  readonly timestamp: string
  /** As its schema has it. */
  readonly data: Readonly<Record<string, unknown>>
}

/** Largest body that is sent, in bytes. */
export const largestPayload = 20 * 1024

/** The schema of the body that is sent for an event. */
export function payloadSchema(type: EventType): z.ZodObject {
  return z.object({
    type: z.literal(type),
    timestamp: z.string().meta({ description: 'When it happened, ISO 8601' }),
    data: eventCatalogue[type].data,
  })
}

/** An event of the catalogue. */
export function webhookEvent<T extends EventType>(
  type: T,
  timestamp: string,
  data: EventData<T>,
): WebhookEvent {
  return { type, timestamp, data }
}

/** The body that is sent for an event. **Errors** `event` where it is not as the catalogue has it, or too large. */
export function payloadOf(event: WebhookEvent): string {
  const parsed = payloadSchema(event.type).safeParse(event)
  if (!parsed.success)
    throw failure('event', `An event ${event.type} is not as it must be: ${z.prettifyError(parsed.error)}`)
  const payload = JSON.stringify(parsed.data)
  const bytes = Buffer.byteLength(payload)
  if (bytes <= largestPayload) return payload
  throw failure('event', `An event ${event.type} has ${bytes} bytes; at most ${largestPayload} are sent.`)
}
