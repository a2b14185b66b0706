import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { codeVersion } from '../domain/version.ts'
import { answers } from './answers.ts'
import type { Access } from './open-access.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

const readySchema = z.object({
  status: z.literal('ready'),
  programs: z.record(
    z.string(),
    z.object({
      date: z.string().nullable().meta({ description: 'Latest day that can be read' }),
      reason: z.string().nullable().meta({ description: 'Why there is none' }),
      missing: z
        .array(z.string())
        .meta({ description: 'What it lacks to work in full, and what to do about it' }),
      rows_ready: z.boolean().meta({
        description:
          'Whether rows of the latest day are ready to be sent. They are made after a start and when a day lands; until then reads of that day take longer',
      }),
    }),
  ),
})

interface Options {
  readonly programs: ServedPrograms
  readonly access: Access
  readonly desk: WhatIfDesk
}

/** Whether the process lives and whether it has something to say. No key is needed. */
export const healthRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, access, desk }) => {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'readHealth',
        tags: ['health'],
        summary: 'The process lives',
        security: [],
        querystring: z.strictObject({}),
        response: answers('It lives', z.object({ status: z.literal('ok'), version: z.string() }), ...always),
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
        description:
          'Of at least one program, and keys can be checked. 503 with the reason until then. What a program lacks to work in full stands beside it.',
        security: [],
        querystring: z.strictObject({}),
        response: answers('At least one program can be read', readySchema, 'internal', ...always),
      },
    },
    async () => {
      await checkKeys(access)
      const states = await Promise.all(programs.all().map((served) => stateOf(served, desk)))
      if (states.some(([, { date }]) => date !== null))
        return { status: 'ready' as const, programs: Object.fromEntries(states) }
      throw new Problem('unavailable', states.map(([, { reason }]) => reason).join(' '))
    },
  )
}

/** Of every address: too many requests, and a server that is being stopped. */
const always = ['invalid-request', 'too-many-requests', 'unavailable'] as const

/** **Errors** `unavailable` where no key can be looked up. */
async function checkKeys({ keys }: Access): Promise<void> {
  try {
    await keys.find('nobody')
  } catch {
    throw new Problem('unavailable', "The server's control database cannot be read: no key can be checked.")
  }
}

interface ProgramState {
  readonly date: string | null
  readonly reason: string | null
  readonly missing: string[]
  readonly rows_ready: boolean
}

/** Reads the latest day of a program as a request would, and looks for what else it needs. */
async function stateOf(served: ServedProgram, desk: WhatIfDesk): Promise<[string, ProgramState]> {
  const { name } = served.program
  const found = await readLatest(served)
  const champion = await served.registry.champion()
  const missing = [
    ...(found.reason === null ? [] : [found.reason]),
    ...(champion === null
      ? [`${name} has no version that serves: nothing can be predicted or asked. Run loyalcast train.`]
      : []),
    ...((await desk.isReadable(served.program))
      ? []
      : [`The control database of ${name} cannot be opened: scenarios and jobs are not there.`]),
  ]
  return [name, { ...found, missing, rows_ready: served.isReady }]
}

async function readLatest(served: ServedProgram): Promise<Pick<ProgramState, 'date' | 'reason'>> {
  try {
    return { date: await served.readDay(undefined, async ({ day }) => day.date), reason: null }
  } catch (error) {
    const unknown = `The predictions of ${served.program.name} cannot be read.`
    return { date: null, reason: error instanceof Problem ? error.detail : unknown }
  }
}
