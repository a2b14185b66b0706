import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { codeVersion } from '../domain/version.ts'
import { answers } from './answers.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'

const readySchema = z.object({
  status: z.literal('ready'),
  programs: z.record(
    z.string(),
    z.object({
      date: z.string().nullable().meta({ description: 'Latest day that can be read' }),
      reason: z.string().nullable().meta({ description: 'Why there is none' }),
    }),
  ),
})

/** Whether the process lives and whether it has something to say. No key is needed. */
export const healthRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'readHealth',
        tags: ['health'],
        summary: 'The process lives',
        security: [],
        response: answers('It lives', z.object({ status: z.literal('ok'), version: z.string() })),
      },
    },
    () => ({ status: 'ok' as const, version: codeVersion }),
  )
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readReadiness',
        tags: ['health'],
        summary: 'Predictions can be read',
        description: 'Of at least one program. 503 with the reason until then.',
        security: [],
        response: answers('At least one program can be read', readySchema, 'unavailable'),
      },
    },
    async () => {
      const states = await Promise.all(programs.all().map(stateOf))
      if (states.some(([, { date }]) => date !== null))
        return { status: 'ready' as const, programs: Object.fromEntries(states) }
      throw new Problem('unavailable', states.map(([, { reason }]) => reason).join(' '))
    },
  )
}

/** Reads the latest day of a program as a request would. */
async function stateOf(
  served: ServedProgram,
): Promise<[string, { date: string | null; reason: string | null }]> {
  const { name } = served.program
  try {
    return [name, { date: await served.readDay(undefined, async ({ day }) => day.date), reason: null }]
  } catch (error) {
    const reason = error instanceof Problem ? error.detail : `The predictions of ${name} cannot be read.`
    return [name, { date: null, reason }]
  }
}
