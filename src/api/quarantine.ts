import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { tableNames } from '../domain/program.ts'
import type { Intake } from '../jobs/intake.ts'
import { keyedAnswers, sendKept } from './answers.ts'
import { needs } from './caller.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { programParams } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'

const refusedSchema = z
  .strictObject({
    number: z.number().int(),
    table: z.enum(tableNames),
    received_at: z.string(),
    reason: z.string(),
    words: z.string(),
    row: z.string().meta({ description: 'As it came, JSON; cut where it is long' }),
  })
  .meta({ id: 'QuarantinedRow' })

const pageSchema = z
  .strictObject({ program: z.string(), rows: z.array(refusedSchema), next_cursor: nextCursor })
  .meta({ id: 'QuarantinePage' })

/** Rows that were sent and could not be taken. */
export const quarantineRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms; intake: Intake }> = async (
  app,
  { programs, intake },
) => {
  app.get(
    '/programs/:program/quarantine',
    {
      schema: {
        operationId: 'listQuarantine',
        tags: ['rows'],
        security: needs('write'),
        summary: 'Rows that were sent and could not be taken',
        description: 'Newest first, with the reasons. The latest 10,000 of a month are kept.',
        params: programParams,
        querystring: listQuery,
        response: keyedAnswers('A page of rows', pageSchema, 'invalid-cursor', 'unknown-program'),
      },
    },
    async ({ params, query }, reply) => {
      const { program } = programs.find(params.program)
      const list = `${program.name}/quarantine`
      const { rows, next_cursor } = await readListPage(pageStart(query, list), list, (page) =>
        intake.refused(program.name, page),
      )
      return sendKept(reply, {
        program: program.name,
        rows: rows.map(({ receivedAt, ...row }) => ({ ...row, received_at: receivedAt })),
        next_cursor,
      })
    },
  )
}
