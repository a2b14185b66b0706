import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problemAnswers } from './answers.ts'
import { type AccessOptions, requireAccess } from './api-key.ts'
import { type Caller, needs } from './caller.ts'
import type { Metrics } from './metrics.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

interface Options {
  readonly metrics: Metrics
  readonly desk: WhatIfDesk
  readonly access: AccessOptions
  /** Whether no key is needed. */
  readonly isOpen: boolean
}

/** What Prometheus scrapes: it sends a key (`authorization: { credentials: … }`), unless the server is told otherwise. */
export const metricsRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { metrics, desk, access, isOpen },
) => {
  if (!isOpen) app.addHook('onRequest', requireAccess(access))
  const problems = [
    ...(isOpen ? [] : (['unauthorized', 'forbidden'] as const)),
    ...(['invalid-request', 'too-many-requests', 'internal', 'unavailable'] as const),
  ]
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'readMetrics',
        tags: ['health'],
        security: isOpen ? [] : needs('read'),
        querystring: z.strictObject({}),
        summary: 'Measurements for Prometheus',
        description:
          'Requests, latency, the process, waiting jobs and, of each program that the key is for, the age of its predictions, its last daily run and its version.',
        response: {
          200: {
            description: "Prometheus' text format",
            content: { 'text/plain': { schema: z.string() } },
          },
          ...problemAnswers(problems),
        },
      },
    },
    async (request, reply) => {
      const caller = request.getDecorator<Caller | null>('caller') ?? { programs: null }
      const text = await metrics.text({
        programs: access.programs.of(caller),
        queue: desk.queueLength,
        now: desk.clock(),
      })
      return reply.type(metrics.contentType).header('cache-control', 'no-store').send(text)
    },
  )
}
