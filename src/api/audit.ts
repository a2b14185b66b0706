import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AuditEntry, AuditFilter } from '../control/audit-log.ts'
import { keyedAnswers, sendKept } from './answers.ts'
import { callerOf, needs } from './caller.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import type { Access } from './open-access.ts'
import { programParams } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'

const entrySchema = z
  .object({
    at: z.string().meta({ description: 'When it was answered' }),
    key_id: z.string(),
    key_name: z.string(),
    method: z.string().meta({ examples: ['POST'] }),
    route: z.string().meta({ description: 'Its pattern', examples: ['/v1/programs/:program/what-if'] }),
    program: z.string().nullable(),
    status: z.number().int().meta({ description: 'HTTP status of the answer; 499: it was broken off' }),
    request_id: z.string().meta({ description: "Also in the server's log" }),
    remote_address: z.string(),
  })
  .meta({ id: 'AuditEntry', description: 'Something that was written or pulled, and by whom' })

const pageSchema = z
  .object({ entries: z.array(entrySchema), next_cursor: nextCursor })
  .meta({ id: 'AuditPage' })

const auditQuery = listQuery.extend({
  program: programParams.shape.program.optional(),
  since: z.iso
    .datetime({ offset: true, error: 'is a time such as 2026-11-20T00:00:00Z' })
    .max(40)
    .optional()
    .meta({ description: 'Nothing from before it' }),
})

/** An entry as it is sent. */
export function entryBody(entry: AuditEntry) {
  const { at, method, route, program, status } = entry
  return {
    ...{ at, key_id: entry.keyId, key_name: entry.keyName, method, route, program, status },
    request_id: entry.requestId,
    remote_address: entry.remoteAddress,
  }
}

/** Who wrote and pulled what. */
export const auditRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms; access: Access }> = async (
  app,
  { programs, access },
) => {
  app.get(
    '/audit',
    {
      schema: {
        operationId: 'listAudit',
        tags: ['access'],
        security: needs('manage'),
        summary: 'Who wrote and pulled what',
        description:
          'Every write and every export, newest first, also those that were refused; never what was in them. A key that is for some programs sees what happened in these.',
        querystring: auditQuery,
        response: keyedAnswers('A page of entries', pageSchema, 'invalid-cursor', 'unknown-program'),
      },
    },
    async (request, reply) => {
      const { query } = request
      const caller = callerOf(request)
      if (query.program !== undefined) programs.find(query.program, caller)
      const filter: AuditFilter = {
        programs: query.program === undefined ? caller.programs : [query.program],
        since: query.since === undefined ? null : new Date(query.since).toISOString(),
      }
      const list = `audit/${query.program ?? ''}/${query.since ?? ''}`
      await access.trail.flush()
      const { rows, next_cursor } = await readListPage(pageStart(query, list), list, (wanted) =>
        access.trail.log.list(wanted, filter),
      )
      return sendKept(reply, { entries: rows.map(entryBody), next_cursor })
    },
  )
}
