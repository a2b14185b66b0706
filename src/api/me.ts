import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Role, roles, type Scope, scopes } from '../domain/access.ts'
import { keyedAnswers } from './answers.ts'
import { callerOf, needs } from './caller.ts'

export const roleSchema = z
  .enum(Object.keys(roles) as [Role, ...Role[]], `is one of ${Object.keys(roles).join(', ')}`)
  .meta({
    description: `What a key may do. ${Object.entries(roles)
      .map(([role, own]) => `${role}: ${own.join(', ')}`)
      .join('; ')}`,
  })

const scopeSchema = z.enum(Object.keys(scopes) as [Scope, ...Scope[]])

const meSchema = z
  .object({
    key_id: z.string().meta({ description: 'environment: the key that the server was started with' }),
    name: z.string(),
    role: roleSchema,
    programs: z.array(z.string()).nullable().meta({ description: 'What the key is for; null: everything' }),
    scopes: z.array(scopeSchema),
  })
  .meta({ id: 'Me', description: 'Who asks' })

/** Who asks. */
export const meRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/me',
    {
      schema: {
        operationId: 'readMe',
        tags: ['access'],
        security: needs('read'),
        summary: 'What your key is and may do',
        description: 'Its id, name, role, programs and scopes.',
        querystring: z.strictObject({}),
        response: keyedAnswers('What the key may do', meSchema),
      },
    },
    async (request) => {
      const { keyId, name, role, programs } = callerOf(request)
      return {
        ...{ key_id: keyId, name, role },
        programs: programs === null ? null : [...programs],
        scopes: [...roles[role]],
      }
    },
  )
}
