import { z } from 'zod'
import type { Attempt, Delivery } from '../control/webhook-deliveries.ts'
import type { WebhookEndpoint } from '../control/webhook-endpoints.ts'
import { wantedEventTypes } from '../engage/event-catalogue.ts'
import { longestUrl } from '../engage/target-rules.ts'
import { idSchema } from './jobs.ts'
import { programParams } from './prediction-schema.ts'

export const webhookParams = programParams.extend({ webhook_id: idSchema })
export const deliveryParams = webhookParams.extend({ message_id: idSchema })

const url = z
  .string('is a URL')
  .min(1, 'is empty')
  .max(longestUrl, `is longer than ${longestUrl} characters`)
  .meta({
    description: 'https, and public. Without user, password and fragment; port 80, 443 or from 1024 on',
    examples: ['https://crm.example.com/loyalcast'],
  })

const allowedTypes = ['*', ...wantedEventTypes] as const
const eventTypes = z
  .array(z.enum(allowedTypes, `is one of ${allowedTypes.join(', ')}`))
  .min(1, 'is empty')
  .max(20, 'has more than 20 types')
  .transform((types) => [...new Set(types)])
  .meta({ description: 'Which events are sent; `*` for all, also those that come with a later version' })

const description = z
  .string('is a text')
  .max(500, 'is longer than 500 characters')
  .meta({ description: 'For people' })

const active = z.boolean('is true or false').meta({ description: 'Whether anything is sent' })

export const newWebhookBody = z.strictObject({
  url,
  event_types: eventTypes.default(['*']),
  description: description.default(''),
  active: active.default(true),
})

export const changedWebhookBody = z
  .strictObject({ url, event_types: eventTypes, description, active })
  .partial()

const time = z.string().meta({ examples: ['2026-11-20T06:00:00.000Z'] })

export const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    event_types: z.array(z.string()).meta({ examples: [['prediction.day_ready']] }),
    description: z.string(),
    active: z.boolean(),
    disabled_reason: z
      .string()
      .nullable()
      .meta({ description: 'Why it was switched off without being asked to; switch it on again with PATCH' }),
    disabled_at: time.nullable(),
    failing_since: time.nullable().meta({ description: 'First failure since something last got through' }),
    previous_secret_until: time
      .nullable()
      .meta({ description: 'Until then messages are signed with the secret before the last rotation too' }),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Webhook', description: 'Where events of a program are sent' })

export const webhookWithSecretSchema = webhookSchema
  .extend({
    secret: z.string().meta({
      description: 'What messages are signed with (Standard Webhooks). Shown only now',
      examples: ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    }),
  })
  .meta({ id: 'WebhookWithSecret' })

const statuses = ['pending', 'delivered', 'dead'] as const
export const deliveryStatus = z.enum(statuses, `is one of ${statuses.join(', ')}`)

const attemptSchema = z
  .object({
    at: time,
    status: z.number().int().nullable().meta({ description: 'HTTP status; null where there was no answer' }),
    problem: z.string().nullable().meta({ description: 'What went wrong; null where it got through' }),
    excerpt: z.string().nullable().meta({ description: 'The beginning of the answer, up to 1 KiB' }),
    ms: z.number().meta({ description: 'Until the answer, in milliseconds' }),
  })
  .meta({ id: 'WebhookAttempt' })

export const deliverySchema = z
  .object({
    message_id: z.string().meta({ description: 'Also sent as the header webhook-id' }),
    type: z.string(),
    status: deliveryStatus.meta({
      description: 'pending: it will be tried again. dead: it was given up; replay it',
    }),
    tries: z.number().int().meta({ description: 'Since it was made or replayed' }),
    next_try_at: time.nullable(),
    last: attemptSchema.nullable(),
    created_at: time,
    finished_at: time.nullable(),
  })
  .meta({ id: 'WebhookDelivery', description: 'An event on its way to a webhook' })

export const fullDeliverySchema = deliverySchema
  .extend({
    payload: z.looseObject({}).meta({ description: 'What is sent' }),
    attempts: z.array(attemptSchema).meta({ description: 'Every try, the first one first' }),
  })
  .meta({ id: 'WebhookDeliveryWithAttempts' })

const mostReplayed = 100
export const replayBody = z
  .union([
    z.strictObject({
      message_ids: z
        .array(z.string().max(64, 'is longer than any id'))
        .min(1, 'is empty')
        .max(mostReplayed, `has more than ${mostReplayed} ids`)
        .meta({ description: 'These, whatever became of them' }),
    }),
    z.strictObject({
      since: z.iso
        .datetime({ offset: true, error: 'is a time such as 2026-11-20T06:00:00Z' })
        .meta({ description: 'All dead ones of events since then', examples: ['2026-11-20T06:00:00Z'] }),
    }),
  ])
  .meta({ description: 'Either some by their id, or the dead ones since a time' })

/** An endpoint as it is sent, without its secret. */
export function webhookBody(endpoint: WebhookEndpoint): z.input<typeof webhookSchema> {
  return {
    id: endpoint.id,
    url: endpoint.url,
    event_types: [...endpoint.eventTypes],
    description: endpoint.description,
    active: endpoint.isActive,
    disabled_reason: endpoint.disabledReason,
    disabled_at: endpoint.disabledAt,
    failing_since: endpoint.failingSince,
    previous_secret_until: endpoint.previousUntil,
    created_at: endpoint.createdAt,
    updated_at: endpoint.updatedAt,
  }
}

/** A delivery as it is sent. */
export function deliveryBody(delivery: Delivery): z.input<typeof deliverySchema> {
  return {
    message_id: delivery.messageId,
    type: delivery.type,
    status: delivery.status,
    tries: delivery.tries,
    next_try_at: delivery.nextTryAt,
    last: delivery.last && attemptBody(delivery.last),
    created_at: delivery.createdAt,
    finished_at: delivery.finishedAt,
  }
}

/** A try as it is sent. */
export function attemptBody({ at, status, problem, excerpt, ms }: Attempt): z.input<typeof attemptSchema> {
  return { at, status, problem, excerpt, ms }
}
