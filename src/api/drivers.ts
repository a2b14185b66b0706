import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { selectDrivers } from '../engage/driver-rows.ts'
import { quoteText } from '../lake/database.ts'
import { keyedMedia } from './answers.ts'
import { mediaTypes } from './asked-media.ts'
import { sendRows } from './bulk-predictions.ts'
import { needs } from './caller.ts'
import type { ExportDesk } from './export-desk.ts'
import { refused } from './field-tests.ts'
import { daySchema, programParams } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'

const driversQuery = z.strictObject({
  date: daySchema.optional().meta({ description: 'The latest day where left out' }),
  outcome: z
    .string()
    .max(100, 'is longer than 100 characters')
    .optional()
    .meta({ description: 'Only the drivers of this outcome, or of nps', examples: ['churn'] }),
})

interface Options {
  readonly programs: ServedPrograms
  readonly exports: ExportDesk
}

/** What moved the predictions of a day, for all customers at once. */
export const driverRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, exports }) => {
  app.get(
    '/programs/:program/drivers.ndjson',
    {
      schema: {
        operationId: 'pullDriversNdjson',
        tags: ['predictions'],
        summary: 'What moved the predictions of a day as ndjson',
        description:
          'A line for each customer, task and driver: `customer_id`, `outcome`, `rank`, `feature`, `words`, `value`, `effect`, `unit`. In the order of customers; the strongest of a task has rank 1, its `remainder` comes last. Associations, not causes.',
        security: needs('export'),
        params: programParams,
        querystring: driversQuery,
        response: keyedMedia(
          mediaTypes.ndjson,
          'A driver a line',
          'unknown-program',
          'no-predictions',
          'busy',
        ),
      },
    },
    async (request, reply) => {
      const { params, query } = request
      const served = programs.find(params.program)
      const outcome = readTask(query.outcome, served)
      return served.readDay(query.date, async ({ file, mark }, day) =>
        sendRows(request, reply, {
          identity: ['drivers', mark, outcome],
          type: `${mediaTypes.ndjson}; charset=utf-8`,
          name: `${served.program.name}-drivers-${day.date}.ndjson`,
          open: () =>
            exports.write((database, path) => {
              const { sql, parameters } = selectDrivers(file, { format: 'ndjson', outcome })
              const copied = `copy (${sql}) to ${quoteText(path)} (format json, array false)`
              return database.run(copied, parameters)
            }),
        }),
      )
    },
  )
}

/** Null: all. */
function readTask(outcome: string | undefined, { program }: ServedProgram): string | null {
  const tasks = ['nps', ...program.outcomes.map(({ name }) => name)]
  if (outcome === undefined || tasks.includes(outcome)) return outcome ?? null
  throw refused(
    'outcome',
    `is ${JSON.stringify(outcome)}, which is not foretold; allowed: ${tasks.join(', ')}`,
  )
}
