import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiKeyRecord } from '../control/api-keys.ts'
import { endOfDay, isDay } from '../domain/days.ts'
import { keyedAnswers, keyedStatuses, sendKept } from './answers.ts'
import { type Caller, callerOf, needs } from './caller.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { roleSchema } from './me.ts'
import type { Access } from './open-access.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { bodyProblems } from './what-if.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

/** Programs of a key. */
const mostPrograms = 100

const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: roleSchema,
    programs: z.array(z.string()).nullable().meta({ description: 'What it is for; null: everything' }),
    created_at: z.string(),
    expires_at: z.string().nullable().meta({ description: 'From then on it is refused; null: never' }),
    last_used_at: z.string().nullable().meta({ description: 'To about a minute; null: never' }),
    revoked_at: z.string().nullable().meta({ description: 'Refused since then' }),
  })
  .meta({ id: 'ApiKey', description: 'A key, without what is secret of it' })

const madeKeySchema = keySchema
  .extend({ key: z.string().meta({ description: 'The key itself. It is shown this once and kept nowhere' }) })
  .meta({ id: 'NewApiKey', description: 'A key that has just been made' })

const newKeyBody = z.strictObject({
  name: z
    .string('is a name')
    .trim()
    .min(1, 'is empty')
    .max(100, 'is longer than 100 characters')
    .meta({ description: 'For people: who or what uses it' }),
  role: roleSchema,
  programs: z
    .array(z.string().max(48, 'is longer than the 48 characters of a name'))
    .min(1, 'is empty; leave it out for all that your own key is for')
    .max(mostPrograms, `has more than ${mostPrograms} programs`)
    .optional()
    .meta({ description: 'What it is for. Left out: all that your own key is for' }),
  expires: z.string().max(20).refine(isDay, 'is no day; a day looks like 2026-11-20').optional().meta({
    format: 'date',
    description: 'The last day on which it works, in UTC. Left out: it always does',
  }),
})

const keyParams = z.object({
  key_id: z.string().max(64, 'is longer than any id').meta({ description: 'As it was given' }),
})

/** A key as it is sent. */
export function keyBody(key: ApiKeyRecord) {
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    programs: key.programs && [...key.programs],
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
    revoked_at: key.revokedAt,
  }
}

interface Options {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
  readonly access: Access
}

/** Keys: made, listed and revoked. A key that is for some programs sees and makes only keys for these. */
export const keyRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  await app.register(makeRoute, options)
  await app.register(readRoutes, options)
  await app.register(revokeRoute, options)
}

const makeRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, desk, access }) => {
  app.post(
    '/keys',
    {
      schema: {
        operationId: 'makeKey',
        tags: ['access'],
        security: needs('manage'),
        summary: 'Make a key',
        description: 'The answer holds the key itself, which nothing shows again.',
        querystring: z.strictObject({}),
        body: newKeyBody,
        response: keyedStatuses(
          { 201: ['It works from now on; `Location` is its address', madeKeySchema] },
          ...bodyProblems,
        ),
      },
    },
    async (request, reply) => {
      const { name, role, expires } = request.body
      const record = {
        ...{ id: desk.makeId(), name, role, createdAt: desk.clock() },
        programs: wantedPrograms(request.body.programs, callerOf(request), programs),
        expiresAt: expires === undefined ? null : endOfFuture(expires, desk.clock()),
      }
      const key = await access.keys.create({ ...record, secret: access.makeSecret() })
      reply.code(201).header('location', `/v1/keys/${record.id}`).header('cache-control', 'no-store')
      return sendKept(reply, { ...keyBody({ ...record, lastUsedAt: null, revokedAt: null }), key })
    },
  )
}

/** **Errors** `invalid-request`. */
function endOfFuture(day: string, now: string): string {
  const end = endOfDay(day, 'UTC')
  if (Date.parse(end) > Date.parse(now)) return end
  const detail = `is ${day}, which is over; now it is ${now}`
  throw new Problem('invalid-request', `In the body: expires ${detail}.`, {
    errors: [{ field: 'expires', detail }],
  })
}

/** What a new key is for: at most what the key of its maker is for. **Errors** `invalid-request`. */
function wantedPrograms(
  wanted: readonly string[] | undefined,
  caller: Caller,
  programs: ServedPrograms,
): readonly string[] | null {
  if (wanted === undefined) return caller.programs
  const own = programs.of(caller).map(({ program }) => program.name)
  const unknown = wanted.find((name) => !own.includes(name))
  if (unknown === undefined) return [...new Set(wanted)]
  const detail = `names ${unknown}, which is not there; allowed: ${own.join(', ')}`
  throw new Problem('invalid-request', `In the body: programs ${detail}.`, {
    errors: [{ field: 'programs', detail }],
  })
}

const readRoutes: FastifyPluginAsyncZod<Options> = async (app, { access }) => {
  const page = z.object({ keys: z.array(keySchema), next_cursor: nextCursor }).meta({ id: 'ApiKeyPage' })
  app.get(
    '/keys',
    {
      schema: {
        operationId: 'listKeys',
        tags: ['access'],
        security: needs('manage'),
        summary: 'The keys',
        description:
          'Newest first, also those that were revoked or have expired. The key that the server was started with is not among them.',
        querystring: listQuery,
        response: keyedAnswers('A page of keys', page, 'invalid-cursor'),
      },
    },
    async (request, reply) => {
      const within = callerOf(request).programs
      const { rows, next_cursor } = await readListPage(pageStart(request.query, 'keys'), 'keys', (wanted) =>
        access.keys.list(wanted, within),
      )
      return sendKept(reply, { keys: rows.map(keyBody), next_cursor })
    },
  )
  app.get(
    '/keys/:key_id',
    {
      schema: {
        operationId: 'readKey',
        tags: ['access'],
        security: needs('manage'),
        summary: 'A key',
        description: 'Without what is secret of it.',
        params: keyParams,
        querystring: z.strictObject({}),
        response: keyedAnswers('The key', keySchema, 'unknown-key'),
      },
    },
    async (request, reply) =>
      sendKept(reply, keyBody(await findKey(access, request.params.key_id, callerOf(request)))),
  )
}

const revokeRoute: FastifyPluginAsyncZod<Options> = async (app, { desk, access }) => {
  app.delete(
    '/keys/:key_id',
    {
      schema: {
        operationId: 'revokeKey',
        tags: ['access'],
        security: needs('manage'),
        summary: 'Revoke a key',
        description:
          'It is refused from now on, by other processes within seconds, and stays in the list. Revoking it again changes nothing.',
        params: keyParams,
        querystring: z.strictObject({}),
        response: keyedStatuses({ 204: ['It is refused', null] }, 'unknown-key'),
      },
    },
    async (request, reply) => {
      const { id } = await findKey(access, request.params.key_id, callerOf(request))
      await access.keys.revoke(id, desk.clock())
      access.ring.forget(id)
      return reply.code(204).send(null)
    },
  )
}

/** **Errors** `unknown-key`, also for keys of other programs. */
async function findKey({ keys }: Access, id: string, { programs }: Caller): Promise<ApiKeyRecord> {
  const found = await keys.find(id)
  const isSeen = programs === null || found?.programs?.every((name) => programs.includes(name))
  if (found && isSeen) return found
  throw new Problem('unknown-key', `There is no key with the id ${id}. GET /v1/keys lists them.`)
}
