import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Replay } from '../control/webhook-deliveries.ts'
import { payloadOf, webhookEvent } from '../engage/event-catalogue.ts'
import { messageId } from '../engage/gather.ts'
import { keyedAnswers, keyedStatuses } from './answers.ts'
import { needs } from './caller.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { Problem } from './problems.ts'
import {
  attemptBody,
  deliveryBody,
  deliveryParams,
  deliverySchema,
  deliveryStatus,
  fullDeliverySchema,
  replayBody,
  webhookParams,
} from './webhook-schema.ts'
import { findWebhook, now, type WebhookRouteOptions } from './webhooks.ts'
import { bodyProblems } from './what-if.ts'

const common = { tags: ['webhooks'], security: needs('manage') }

/** What became of every event at a webhook. */
export const webhookDeliveryRoutes: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, options) => {
  await app.register(listRoute, options)
  await app.register(readRoute, options)
  await app.register(testRoute, options)
  await app.register(replayRoute, options)
}

const deliveryQuery = listQuery.extend({
  status: deliveryStatus.optional().meta({ description: 'Only those; `dead` for what was given up' }),
})

const deliveryPage = z
  .object({
    program: z.string(),
    webhook_id: z.string(),
    deliveries: z.array(deliverySchema),
    next_cursor: nextCursor,
  })
  .meta({ id: 'WebhookDeliveryPage' })

const listRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.get(
    '/programs/:program/webhooks/:webhook_id/deliveries',
    {
      schema: {
        ...common,
        operationId: 'listWebhookDeliveries',
        summary: 'What was sent to a webhook',
        description: 'Newest first, kept for 30 days.',
        params: webhookParams,
        querystring: deliveryQuery,
        response: keyedAnswers(
          'A page of deliveries',
          deliveryPage,
          ...(['invalid-cursor', 'unknown-program', 'unknown-webhook'] as const),
        ),
      },
    },
    async ({ params, query }) => {
      const { program } = programs.find(params.program)
      const { status = null } = query
      const list = `${program.name}/webhooks/${params.webhook_id}/${status}`
      const start = pageStart(query, list)
      const { id } = await findWebhook(webhooks, program, params.webhook_id)
      const { deliveries } = await webhooks.of(program)
      const page = await readListPage(start, list, (wanted) => deliveries.list(id, { ...wanted, status }))
      const { rows, next_cursor } = page
      return { program: program.name, webhook_id: id, deliveries: rows.map(deliveryBody), next_cursor }
    },
  )
}

const readRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.get(
    '/programs/:program/webhooks/:webhook_id/deliveries/:message_id',
    {
      schema: {
        ...common,
        operationId: 'readWebhookDelivery',
        summary: 'What became of an event at a webhook',
        description: 'With every try, and with what is sent.',
        params: deliveryParams,
        querystring: z.strictObject({}),
        response: keyedAnswers(
          'The delivery',
          fullDeliverySchema,
          ...(['unknown-program', 'unknown-webhook', 'unknown-delivery'] as const),
        ),
      },
    },
    async ({ params }) => {
      const { program } = programs.find(params.program)
      const { id } = await findWebhook(webhooks, program, params.webhook_id)
      const { deliveries } = await webhooks.of(program)
      const found = await deliveries.find(id, params.message_id)
      if (found === null) throw unknownDelivery(id, params.message_id)
      const { payload, attempts } = found
      return {
        ...deliveryBody(found),
        payload: JSON.parse(payload),
        attempts: attempts.map(attemptBody),
      }
    },
  )
}

const testRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.post(
    '/programs/:program/webhooks/:webhook_id/test',
    {
      schema: {
        ...common,
        operationId: 'testWebhook',
        summary: 'Try a webhook',
        description:
          'Sends a `ping` to it at once, whatever types it wants. `Location` says what became of it.',
        params: webhookParams,
        querystring: z.strictObject({}),
        response: keyedStatuses(
          { 202: ['It is on its way', deliverySchema] },
          ...(['unknown-program', 'unknown-webhook', 'webhook-inactive'] as const),
          ...bodyProblems,
        ),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { id, isActive } = await findWebhook(webhooks, program, params.webhook_id)
      if (!isActive) throw inactive(id)
      const { outbox, deliveries } = await webhooks.of(program)
      const at = now(webhooks)
      const payload = payloadOf(webhookEvent('ping', at, { program: program.name, webhook_id: id }))
      const message = { id: messageId(webhooks.makeId), type: 'ping', payload }
      await outbox.sendTo(id, message, at)
      const made = await deliveries.find(id, message.id)
      if (made === null) throw unknownDelivery(id, message.id)
      webhooks.wake(program)
      const path = `/v1/programs/${program.name}/webhooks/${id}/deliveries/${message.id}`
      reply.code(202).header('location', path)
      return deliveryBody(made)
    },
  )
}

const replayRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.post(
    '/programs/:program/webhooks/:webhook_id/replay',
    {
      schema: {
        ...common,
        operationId: 'replayWebhookDeliveries',
        summary: 'Send again what was given up',
        description:
          'With the same ids, so that a receiver knows what it has. They are tried for three days once more.',
        params: webhookParams,
        querystring: z.strictObject({}),
        body: replayBody,
        response: keyedStatuses(
          {
            202: [
              'They are on their way',
              z.object({ replayed: z.number().int().meta({ description: 'How many' }) }),
            ],
          },
          ...(['unknown-program', 'unknown-webhook', 'unknown-delivery', 'webhook-inactive'] as const),
          ...bodyProblems,
        ),
      },
    },
    async ({ params, body }, reply) => {
      const { program } = programs.find(params.program)
      const { id, isActive } = await findWebhook(webhooks, program, params.webhook_id)
      if (!isActive) throw inactive(id)
      const { deliveries } = await webhooks.of(program)
      const messageIds = 'message_ids' in body ? body.message_ids : []
      for (const one of messageIds)
        if ((await deliveries.find(id, one)) === null) throw unknownDelivery(id, one)
      const replay: Replay = 'since' in body ? { since: new Date(body.since).toISOString() } : { messageIds }
      const replayed = await deliveries.replay(id, { replay, at: now(webhooks) })
      webhooks.wake(program)
      reply.code(202)
      return { replayed }
    },
  )
}

function unknownDelivery(webhook: string, message: string): Problem {
  return new Problem(
    'unknown-delivery',
    `Nothing with the id ${message} was sent to the webhook ${webhook}, or it is no longer kept.`,
  )
}

function inactive(id: string): Problem {
  return new Problem('webhook-inactive', `The webhook ${id} is not active. Switch it on first: PATCH active.`)
}
