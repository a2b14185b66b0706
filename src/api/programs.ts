import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { keyedAnswers } from './answers.ts'
import { type Caller, callerOf, needs } from './caller.ts'
import { Problem } from './problems.ts'
import type { ServedProgram } from './served-program.ts'

/** The programs that are served, by name. */
export class ServedPrograms {
  readonly #programs: ReadonlyMap<string, ServedProgram>

  constructor(programs: readonly ServedProgram[]) {
    this.#programs = new Map(programs.map((served) => [served.program.name, served]))
  }

  all(): ServedProgram[] {
    return [...this.#programs.values()]
  }

  /** Those that a key is for. */
  of({ programs }: Pick<Caller, 'programs'>): ServedProgram[] {
    return this.all().filter(({ program }) => programs === null || programs.includes(program.name))
  }

  has(name: string): boolean {
    return this.#programs.has(name)
  }

  /**
   * @param caller whose key must be for the program; others are not there for it. Default: anybody.
   *
   * **Errors** `unknown-program` with those that there are for the caller.
   */
  find(name: string, caller: Pick<Caller, 'programs'> = { programs: null }): ServedProgram {
    const own = this.of(caller)
    const found = own.find(({ program }) => program.name === name)
    if (found) return found
    const words = own.map(({ program }) => program.name).join(', ') || 'none that the key is for'
    throw new Problem('unknown-program', `There is no program ${name}. Served here: ${words}.`)
  }
}

const programSchema = z
  .object({
    program: z.string().meta({ examples: ['my-shop'] }),
    population: z.enum(['customer', 'employee', 'partner']).meta({ description: 'Who is predicted' }),
    currency: z.string().meta({ description: 'ISO 4217', examples: ['EUR'] }),
    timezone: z.string().meta({ examples: ['Europe/Berlin'] }),
    horizons_days: z.array(z.number().int()).meta({ examples: [[30, 60, 90]] }),
    outcomes: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['event', 'absence']),
        is_desired: z.boolean().meta({ description: 'More of it is better' }),
      }),
    ),
    champion: z.string().nullable().meta({ description: 'The model version that predicts new days' }),
    days: z
      .object({
        count: z.number().int(),
        first: z.string().nullable(),
        last: z.string().nullable(),
      })
      .meta({ description: 'Days that have predictions' }),
  })
  .meta({ id: 'Program' })

/** Which programs there are. */
export const programRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/programs',
    {
      schema: {
        operationId: 'listPrograms',
        tags: ['programs'],
        security: needs('read'),
        summary: 'The programs that are served',
        description:
          'Those that the key is for, with their outcomes, horizons and the days that have predictions.',
        querystring: z.strictObject({}),
        response: keyedAnswers('The programs', z.object({ programs: z.array(programSchema) })),
      },
    },
    async (request) => ({
      programs: await Promise.all(programs.of(callerOf(request)).map(describeProgram)),
    }),
  )
}

async function describeProgram(served: ServedProgram): Promise<z.infer<typeof programSchema>> {
  const { name, population, currency, timezone, horizonsDays, outcomes } = served.program
  const days = await served.days()
  return {
    program: name,
    population,
    currency,
    timezone,
    horizons_days: [...horizonsDays],
    outcomes: outcomes.map(({ name, kind, isDesired }) => ({ name, kind, is_desired: isDesired })),
    champion: await served.registry.champion(),
    days: { count: days.length, first: days[0]?.date ?? null, last: days.at(-1)?.date ?? null },
  }
}
