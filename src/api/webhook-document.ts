import { z } from 'zod'
import { type EventType, eventCatalogue, eventTypes, payloadSchema } from '../engage/event-catalogue.ts'

const header = (name: string, description: string) => ({
  ...{ name, in: 'header', required: true, description },
  schema: { type: 'string' },
})

const headers = [
  header('webhook-id', 'The same with every try of a message: what was taken already is known by it'),
  header(
    'webhook-timestamp',
    'When it is sent, in seconds since 1970. Refuse what is older than five minutes',
  ),
  header(
    'webhook-signature',
    'Standard Webhooks: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64; two of them, with a space between, for a day after the secret was rotated',
  ),
]

/** The section of the OpenAPI document that describes what is sent: every type of the catalogue. */
export function webhookSection(): Record<string, object> {
  return Object.fromEntries(eventTypes.map((type) => [type, { post: operation(type) }]))
}

function operation(type: EventType): object {
  const { summary, description } = eventCatalogue[type]
  const { $schema: _, ...schema } = z.toJSONSchema(payloadSchema(type), { io: 'input' })
  return {
    operationId: `receive${type.replace(/(?:^|[._])(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: ['webhooks'],
    summary,
    description,
    security: [],
    parameters: headers,
    requestBody: { required: true, content: { 'application/json': { schema } } },
    responses: {
      '2XX': { description: 'Taken. It must be answered within 15 s; its body is ignored' },
      '410': { description: 'Nothing more is wanted: the webhook is switched off' },
      default: {
        description:
          'Not taken: it is sent again over three days, later where Retry-After says so. Redirects are not followed',
      },
    },
  }
}
