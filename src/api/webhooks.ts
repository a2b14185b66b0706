import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { WebhookEndpoint } from '../control/webhook-endpoints.ts'
import type { Program } from '../domain/program.ts'
import { secretOverlapMs } from '../engage/signing.ts'
import { keyedAnswers, keyedStatuses } from './answers.ts'
import { needs } from './caller.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { WebhookDesk } from './webhook-desk.ts'
import {
  changedWebhookBody,
  newWebhookBody,
  webhookBody,
  webhookParams,
  webhookSchema,
  webhookWithSecretSchema,
} from './webhook-schema.ts'
import { bodyProblems } from './what-if.ts'

export interface WebhookRouteOptions {
  readonly programs: ServedPrograms
  readonly webhooks: WebhookDesk
}

/** Endpoints of a program: each may have several things waiting, so that there are few. */
export const mostEndpoints = 20

const common = { tags: ['webhooks'], security: needs('manage'), querystring: z.strictObject({}) }

/** Where events are sent. */
export const webhookRoutes: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, options) => {
  await app.register(addRoute, options)
  await app.register(readRoutes, options)
  await app.register(changeRoute, options)
  await app.register(removeRoute, options)
  await app.register(rotateRoute, options)
}

const addRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.post(
    '/programs/:program/webhooks',
    {
      schema: {
        ...common,
        operationId: 'addWebhook',
        summary: 'Have events sent to an address',
        description: `Events from now on, signed as Standard Webhooks has it. The answer alone holds the secret. A program has up to ${mostEndpoints} webhooks.`,
        params: programParams,
        body: newWebhookBody,
        response: keyedStatuses(
          { 201: ['It is kept; `Location` is its address', webhookWithSecretSchema] },
          ...(['unknown-program', 'too-many-webhooks', 'invalid-webhook-url'] as const),
          ...bodyProblems,
        ),
      },
    },
    async ({ params, body }, reply) => {
      const { program } = programs.find(params.program)
      await refuseTarget(webhooks, body.url)
      const { endpoints } = await webhooks.of(program)
      const endpoint = {
        id: webhooks.makeId(),
        url: new URL(body.url).href,
        eventTypes: body.event_types,
        description: body.description,
        isActive: body.active,
        secret: webhooks.makeSecret(),
        createdAt: now(webhooks),
      }
      const positions = await webhooks.positions(program)
      if (!(await endpoints.add(endpoint, { most: mostEndpoints, positions })))
        throw new Problem(
          'too-many-webhooks',
          `${program.name} has ${mostEndpoints} webhooks already. Remove one first.`,
        )
      webhooks.wake(program)
      reply.code(201).header('location', `/v1/programs/${program.name}/webhooks/${endpoint.id}`)
      reply.header('cache-control', 'no-store')
      return withSecret(await findWebhook(webhooks, program, endpoint.id))
    },
  )
}

const readRoutes: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  const page = z.object({ program: z.string(), webhooks: z.array(webhookSchema), next_cursor: nextCursor })
  app.get(
    '/programs/:program/webhooks',
    {
      schema: {
        ...common,
        operationId: 'listWebhooks',
        summary: 'Where events are sent',
        description: 'Newest first.',
        params: programParams,
        querystring: listQuery,
        response: keyedAnswers(
          'A page of webhooks',
          page.meta({ id: 'WebhookPage' }),
          'invalid-cursor',
          'unknown-program',
        ),
      },
    },
    async ({ params, query }) => {
      const { program } = programs.find(params.program)
      const list = `${program.name}/webhooks`
      const start = pageStart(query, list)
      const { endpoints } = await webhooks.of(program)
      const { rows, next_cursor } = await readListPage(start, list, (wanted) => endpoints.list(wanted))
      return { program: program.name, webhooks: rows.map(webhookBody), next_cursor }
    },
  )
  app.get(
    '/programs/:program/webhooks/:webhook_id',
    {
      schema: {
        ...common,
        operationId: 'readWebhook',
        summary: 'A webhook',
        description: 'Without its secret.',
        params: webhookParams,
        response: keyedAnswers('The webhook', webhookSchema, 'unknown-program', 'unknown-webhook'),
      },
    },
    async ({ params }) => {
      const { program } = programs.find(params.program)
      return webhookBody(await findWebhook(webhooks, program, params.webhook_id))
    },
  )
}

const changeRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.patch(
    '/programs/:program/webhooks/:webhook_id',
    {
      schema: {
        ...common,
        operationId: 'changeWebhook',
        summary: 'Change a webhook',
        description:
          'What is left out stays. While it is not active no event is kept for it; what waits is sent once it is active again.',
        params: webhookParams,
        body: changedWebhookBody,
        response: keyedAnswers(
          'The webhook as it is now',
          webhookSchema,
          ...(['unknown-program', 'unknown-webhook', 'invalid-webhook-url'] as const),
          ...bodyProblems,
        ),
      },
    },
    async ({ params, body }) => {
      const { program } = programs.find(params.program)
      const { endpoints } = await webhooks.of(program)
      await findWebhook(webhooks, program, params.webhook_id)
      if (body.url !== undefined) await refuseTarget(webhooks, body.url)
      const changed = await endpoints.change(params.webhook_id, {
        at: now(webhooks),
        ...(body.url !== undefined && { url: new URL(body.url).href }),
        ...(body.event_types !== undefined && { eventTypes: body.event_types }),
        ...(body.description !== undefined && { description: body.description }),
        ...(body.active !== undefined && { isActive: body.active }),
      })
      if (changed === null) throw unknownWebhook(program, params.webhook_id)
      webhooks.wake(program)
      return webhookBody(changed)
    },
  )
}

const removeRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.delete(
    '/programs/:program/webhooks/:webhook_id',
    {
      schema: {
        ...common,
        operationId: 'removeWebhook',
        summary: 'Send nothing more to an address',
        description: 'What waits for it is dropped, and the log of its deliveries goes with it.',
        params: webhookParams,
        response: keyedStatuses({ 204: ['It is gone', null] }, 'unknown-program', 'unknown-webhook'),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { endpoints } = await webhooks.of(program)
      if (!(await endpoints.remove(params.webhook_id))) throw unknownWebhook(program, params.webhook_id)
      return reply.code(204).send(null)
    },
  )
}

const rotateRoute: FastifyPluginAsyncZod<WebhookRouteOptions> = async (app, { programs, webhooks }) => {
  app.post(
    '/programs/:program/webhooks/:webhook_id/rotate-secret',
    {
      schema: {
        ...common,
        operationId: 'rotateWebhookSecret',
        summary: 'Give a webhook another secret',
        description:
          'For 24 hours messages are signed with the old one too, so that the receiver can change over. The answer alone holds the new one.',
        params: webhookParams,
        response: keyedAnswers(
          'The webhook with its new secret',
          webhookWithSecretSchema,
          ...(['unknown-program', 'unknown-webhook'] as const),
          ...bodyProblems,
        ),
      },
    },
    async ({ params }) => {
      const { program } = programs.find(params.program)
      const { endpoints } = await webhooks.of(program)
      const at = now(webhooks)
      const previousUntil = new Date(Date.parse(at) + secretOverlapMs).toISOString()
      const rotation = { secret: webhooks.makeSecret(), at, previousUntil }
      const rotated = await endpoints.rotate(params.webhook_id, rotation)
      if (rotated === null) throw unknownWebhook(program, params.webhook_id)
      return withSecret(rotated)
    },
  )
}

/** **Errors** `unknown-webhook`. */
export async function findWebhook(
  webhooks: WebhookDesk,
  program: Program,
  id: string,
): Promise<WebhookEndpoint> {
  const { endpoints } = await webhooks.of(program)
  const found = await endpoints.find(id)
  if (found) return found
  throw unknownWebhook(program, id)
}

function unknownWebhook({ name }: Program, id: string): Problem {
  return new Problem(
    'unknown-webhook',
    `${name} has no webhook ${id}. GET /v1/programs/${name}/webhooks lists them.`,
  )
}

/** **Errors** `invalid-webhook-url`. */
async function refuseTarget({ rules }: WebhookDesk, url: string): Promise<void> {
  const reason = await rules.refuse(url)
  if (reason === null) return
  throw new Problem('invalid-webhook-url', `url ${reason}.`, { errors: [{ field: 'url', detail: reason }] })
}

function withSecret(endpoint: WebhookEndpoint) {
  return { ...webhookBody(endpoint), secret: endpoint.secret }
}

/** The time in the one form that sorts as text. */
export function now({ clock }: WebhookDesk): string {
  return new Date(clock()).toISOString()
}
