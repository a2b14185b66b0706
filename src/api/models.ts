import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ModelCard } from '../model/model-cards.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { programParams } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'

const gain = z.object({ value: z.number(), ci95: z.tuple([z.number(), z.number()]) }).nullable()

const skill = z.object({
  has_skill: z.boolean().meta({ description: 'Better than the base rate on later data beyond doubt' }),
  gain: gain.meta({
    description: 'Over the base rate, in log loss (nps: ranked probability score), with its 95% interval',
  }),
})

const scoreWithInterval = z.object({
  value: z.number(),
  ci95: z.tuple([z.number(), z.number()]).nullable(),
})

const nonResponse = z
  .object({
    kind: z.enum(['invitations', 'customers']).meta({ description: 'What could have been answered' }),
    asked: z.number().int(),
    answered: z.number().int().meta({ description: 'Of these, within within_days' }),
    within_days: z.number().int(),
    auc: z
      .number()
      .nullable()
      .meta({ description: 'How well one can tell who answers from what is known of customers' }),
    answers: z.number().int().meta({ description: 'Of the days that the version was judged on' }),
    effective_answers: z.number().meta({ description: 'As many answers of equal weight would tell as much' }),
    plain_nps: scoreWithInterval.meta({ description: 'Plain mean of these answers' }),
    everybody_nps: scoreWithInterval.nullable().meta({
      description: 'Of everybody in those days, corrected at most for what is known of customers',
    }),
    claims_correction: z.boolean().meta({
      description:
        'True only where who answers was found to be known in part, and feelings that nothing shows were seen to be small beside that',
    }),
    words: z.array(z.string()),
  })
  .meta({ description: 'Who does not answer, and what that does to the NPS of everybody' })

const versionSchema = z
  .object({
    version: z.string().meta({ examples: ['2026-11-20-1'] }),
    is_champion: z.boolean(),
    trained_at: z.string(),
    as_of: z.string().meta({ description: 'It knows nothing after this day' }),
    code_version: z.string(),
    learned_from: z.object({ customers: z.number().int(), rows: z.number().int() }),
    judged: z.object({ kind: z.string(), words: z.string() }),
    outcomes: z.record(
      z.string(),
      skill.extend({
        horizons: z.record(
          z.string(),
          z.object({ auc: z.number().nullable(), log_loss: z.number(), base_rate_log_loss: z.number() }),
        ),
      }),
    ),
    nps: skill
      .extend({
        answers: z.number().int(),
        mae: z.number(),
        rps: z.number(),
        base_rate_rps: z.number(),
        coverage80: z.number().meta({ description: 'Share of answers inside their 80% interval' }),
      })
      .nullable(),
    non_response: nonResponse.nullable(),
    not_predicted: z.record(z.string(), z.string()).meta({ description: 'Task → why' }),
    limits: z.array(z.string()),
  })
  .meta({
    id: 'ModelVersion',
    description: 'What a version is and how good it was on data later than it learned from',
  })

const modelsSchema = z
  .object({
    program: z.string(),
    champion: z.string().nullable(),
    versions: z.array(versionSchema).meta({ description: 'Newest first' }),
    promotions: z.array(
      z.object({
        at: z.string(),
        action: z.enum(['promote', 'rollback']),
        version: z.string(),
        previous: z.string().nullable(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'Models' })

/** The model versions of a program. */
export const modelRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (app, { programs }) => {
  app.get(
    '/programs/:program/models',
    {
      schema: {
        operationId: 'listModels',
        tags: ['models'],
        security: needs('read'),
        summary: 'The model versions',
        description: 'Which one serves, how good each was on later data, and what was promoted when and why.',
        params: programParams,
        querystring: z.strictObject({}),
        response: keyedAnswers('The versions, newest first', modelsSchema, 'unknown-program'),
      },
    },
    async ({ params }) => {
      const { registry, cards } = programs.find(params.program)
      const [champion, names, promotions] = await Promise.all([
        registry.champion(),
        registry.versions(),
        registry.log(),
      ])
      const read = await Promise.all(names.toReversed().map((name) => cards.read(name)))
      const versions = read.filter((card) => card !== null)
      return {
        program: params.program,
        champion,
        versions: versions.map((card) => ({ ...versionBody(card), is_champion: card.version === champion })),
        promotions,
      }
    },
  )
}

/** The part of a card that helps to judge the numbers of a version. */
export function versionBody(card: ModelCard): Omit<z.infer<typeof versionSchema>, 'is_champion'> {
  const { data, nps } = card
  return {
    version: card.version,
    trained_at: card.trainedAt,
    as_of: data.asOf,
    code_version: card.codeVersion,
    learned_from: { customers: data.customers, rows: data.rows },
    judged: { kind: card.split.kind, words: card.split.words },
    outcomes: Object.fromEntries(
      card.outcomes.map(({ name, hasSkill, gain, horizons }) => [
        name,
        {
          has_skill: hasSkill,
          gain: gainBody(gain),
          horizons: Object.fromEntries(horizons.map(horizonBody)),
        },
      ]),
    ),
    nps: nps && {
      has_skill: nps.hasSkill,
      gain: gainBody(nps.gain),
      answers: nps.answers,
      mae: nps.metrics.model.mae,
      rps: nps.metrics.model.rps,
      base_rate_rps: nps.metrics.base_rate.rps,
      coverage80: nps.coverage80,
    },
    non_response: nonResponseBody(card.nonResponse),
    not_predicted: Object.fromEntries(Object.entries(card.skipped).map(([task, { words }]) => [task, words])),
    limits: card.limits,
  }
}

function nonResponseBody(section: ModelCard['nonResponse']): z.infer<typeof nonResponse> | null {
  if (section === null) return null
  const { plainNps } = section
  return {
    kind: section.kind,
    asked: section.asked,
    answered: section.answered,
    within_days: section.withinDays,
    auc: section.propensity?.auc ?? null,
    answers: section.answers,
    effective_answers: section.effectiveAnswers,
    plain_nps: { value: plainNps.mean, ci95: [plainNps.low, plainNps.high] },
    everybody_nps: section.everybodyNps,
    claims_correction: section.claimsCorrection,
    words: section.words,
  }
}

function gainBody(gain: ModelCard['outcomes'][number]['gain']): z.infer<typeof skill>['gain'] {
  return gain && { value: gain.mean, ci95: [gain.low, gain.high] }
}

function horizonBody({ horizonDays, metrics }: ModelCard['outcomes'][number]['horizons'][number]) {
  const { auc, logLoss } = metrics.model
  const body = { auc, log_loss: logLoss, base_rate_log_loss: metrics.base_rate.logLoss }
  return [String(horizonDays), body] as const
}
