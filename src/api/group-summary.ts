import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { groupBody, groupSchema } from './group-figures.ts'
import { daySchema, programParams } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'

/** Most groups of a day. */
const mostGroups = 200
/** Most days that are told at once. */
const mostDays = 31
const daysWords = `is a whole number from 1 to ${mostDays}`

const groupOfDay = z.object({
  value: z.string().nullable().meta({ description: 'null: those who have none' }),
  ...groupSchema.shape,
})

const groupsSchema = z
  .object({
    program: z.string(),
    by: z.string(),
    currency: z.string(),
    days: z.array(
      z.object({
        date: daySchema,
        model_version: z.string(),
        groups: z.array(groupOfDay).meta({ description: `The ${mostGroups} largest, largest first` }),
      }),
    ),
  })
  .meta({ id: 'GroupSummary', description: 'What is forecast of groups of customers, oldest day first' })

/** What days add up to by an attribute. */
export const groupSummaryRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/programs/:program/summary/groups',
    {
      schema: {
        operationId: 'readGroupSummary',
        tags: ['summary'],
        security: needs('read'),
        summary: 'The forecast of groups, over days',
        description:
          'By any attribute of customers, as known on each day, or by segment, nps_class, next_likely and the like. Each group with its interval, as in the summary.',
        params: programParams,
        querystring: z.strictObject({
          by: z
            .string()
            .min(1, 'is empty')
            .max(200, 'is longer than any name')
            .meta({ description: 'An attribute, or a column of texts', examples: ['segment'] }),
          date: daySchema.optional(),
          days: z.coerce
            .number(daysWords)
            .int(daysWords)
            .min(1, daysWords)
            .max(mostDays, daysWords)
            .default(1)
            .meta({ description: 'How many days with predictions, up to `date` or the latest' }),
        }),
        response: keyedAnswers('The groups', groupsSchema, 'unknown-program', 'no-predictions'),
      },
    },
    async ({ params, query }) => {
      const served = programs.find(params.program)
      const last = await served.groupsOf(query.date, query.by, mostGroups)
      const dates = (await served.days()).map(({ date }) => date).filter((date) => date < last.day.date)
      const days = []
      for (const date of query.days > 1 ? dates.slice(1 - query.days) : [])
        days.push(await dayBody(served, await served.groupsOf(date, query.by, mostGroups)))
      const { name, currency } = served.program
      return { program: name, by: query.by, currency, days: [...days, await dayBody(served, last)] }
    },
  )
}

async function dayBody(
  { program, cards }: ServedProgram,
  { day, groups }: Awaited<ReturnType<ServedProgram['groupsOf']>>,
) {
  const card = await cards.read(day.modelVersion)
  return {
    date: day.date,
    model_version: day.modelVersion,
    groups: groups.map(({ value, totals }) => ({ value, ...groupBody(totals, program, card) })),
  }
}
