import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { PredictionDay } from '../lake/commits.ts'
import type { DayTotals } from '../lake/prediction-totals.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { expectedOf, groupBody, groupSchema, netScoreOf } from './group-figures.ts'
import { daySchema, programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'

/** Days of history shown with a day. */
const historyDays = 90

const historySchema = z.object({
  date: daySchema,
  model_version: z.string(),
  customers: z.number().int(),
  nps: groupSchema.shape.nps.valueType.meta({ description: 'Net promoter score of that day' }),
  outcomes: z
    .record(z.string(), z.number().nullable())
    .meta({ description: 'Mean probability by <outcome>_<horizon>' }),
  value_at_risk: z.number().nullable(),
})

const summarySchema = z
  .object({
    program: z.string(),
    date: daySchema,
    model_version: z.string(),
    currency: z.string(),
    ...groupSchema.shape,
    segments: z
      .array(z.object({ segment: z.string(), ...groupSchema.shape }))
      .meta({ description: 'Those that have customers, by name; customers of no segment are in none' }),
    history: z.array(historySchema).meta({
      description: `The last days with predictions, up to ${historyDays} and up to \`date\`, oldest first`,
    }),
  })
  .meta({ id: 'Summary', description: 'What is forecast of everybody at risk on a day, with 95% intervals' })

/** What a day's predictions add up to. */
export const summaryRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/programs/:program/summary',
    {
      schema: {
        operationId: 'readSummary',
        tags: ['summary'],
        security: needs('read'),
        summary: 'The forecast of the whole group',
        description:
          'Group NPS now and ahead, expected outcomes, value at risk and expected gain of the latest day, or of `date`; by segment, and how it went on the days before.',
        params: programParams,
        querystring: z.strictObject({ date: daySchema.optional() }),
        response: keyedAnswers('The forecast', summarySchema, 'unknown-program', 'no-predictions'),
      },
    },
    async ({ params, query }) => {
      const served = programs.find(params.program)
      const { program, cards } = served
      const { day, totals } = await served.totalsOf(query.date)
      const card = await cards.read(day.modelVersion)
      return {
        program: program.name,
        date: day.date,
        model_version: day.modelVersion,
        currency: program.currency,
        ...groupBody(totals.all, program, card),
        segments: Object.entries(totals.segments).map(([segment, group]) => ({
          segment,
          ...groupBody(group, program, card),
        })),
        history: await readHistory(served, day.date),
      }
    },
  )
}

type HistoryBody = z.infer<typeof historySchema>

async function readHistory(served: ServedProgram, until: string): Promise<HistoryBody[]> {
  const days = (await served.days()).filter(({ date }) => date <= until).slice(-historyDays)
  const history: HistoryBody[] = []
  for (const { date } of days) {
    const found = await served.totalsOf(date).catch(nothingIfGone)
    if (found) history.push(await historyBody(served, found))
  }
  return history
}

/** A lake may be made anew while its days are read. */
function nothingIfGone(error: unknown): null {
  if (error instanceof Problem && error.code === 'no-predictions') return null
  throw error
}

async function historyBody(
  { program, cards }: ServedProgram,
  { day, totals }: { day: PredictionDay; totals: DayTotals },
): Promise<HistoryBody> {
  const card = await cards.read(day.modelVersion)
  const { means, customers, valueAtRisk } = totals.all
  return {
    date: day.date,
    model_version: day.modelVersion,
    customers,
    nps: netScoreOf('nps_0', means.nps_0, card),
    outcomes: Object.fromEntries(
      program.outcomes.flatMap(({ name }) =>
        program.horizonsDays.map((days) => {
          const task = `${name}_${days}`
          return [task, expectedOf(task, means[task], null)?.rate ?? null]
        }),
      ),
    ),
    value_at_risk: valueAtRisk,
  }
}
