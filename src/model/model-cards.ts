import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Registry } from './registry.ts'

const interval = z.object({ mean: z.number(), low: z.number(), high: z.number() })

const outcomeCard = z.object({
  name: z.string(),
  hasSkill: z.boolean(),
  gain: interval.nullable(),
  horizons: z.array(
    z.object({
      horizonDays: z.number(),
      rows: z.number(),
      metrics: z.object({
        model: z.object({ auc: z.number().nullable(), logLoss: z.number() }),
        base_rate: z.object({ logLoss: z.number() }),
      }),
    }),
  ),
})

const npsCard = z.object({
  answers: z.number(),
  hasSkill: z.boolean(),
  gain: interval.nullable(),
  coverage80: z.number(),
  metrics: z.object({
    model: z.object({ mae: z.number(), rps: z.number() }),
    base_rate: z.object({ mae: z.number(), rps: z.number() }),
  }),
})

const nonResponseCard = z.object({
  kind: z.enum(['invitations', 'customers']),
  asked: z.number(),
  answered: z.number(),
  withinDays: z.number(),
  propensity: z.object({ auc: z.number().nullable(), hasSkill: z.boolean() }).nullable(),
  answers: z.number(),
  effectiveAnswers: z.number(),
  plainNps: interval,
  everybodyNps: z
    .object({ value: z.number(), ci95: z.tuple([z.number(), z.number()]).nullable() })
    .nullable(),
  claimsCorrection: z.boolean(),
  words: z.array(z.string()),
})

/** What is read of a version's card; the rest of it is for people. */
const modelCard = z.object({
  version: z.string(),
  trainedAt: z.string(),
  codeVersion: z.string(),
  data: z.object({ asOf: z.string(), rows: z.number(), customers: z.number() }),
  split: z.object({ kind: z.string(), words: z.string() }),
  outcomes: z.array(outcomeCard),
  nps: npsCard.nullable(),
  groupErrors: z.record(z.string(), z.object({ standardError: z.number(), spread: z.number() })).default({}),
  nonResponse: nonResponseCard.nullable().default(null),
  skipped: z.record(z.string(), z.object({ code: z.string(), words: z.string() })),
  limits: z.array(z.string()),
})
export type ModelCard = z.infer<typeof modelCard>

/** Reads cards of versions; those never change, so each is read once. */
export class ModelCards {
  readonly #registry: Registry
  readonly #cards = new Map<string, ModelCard>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** The card of a version; null where there is none that can be read. */
  async read(version: string): Promise<ModelCard | null> {
    const known = this.#cards.get(version)
    if (known) return known
    const card = parsed(
      await readFile(join(this.#registry.folderOf(version), 'card.json'), 'utf8').catch(() => ''),
    )
    if (card) this.#cards.set(version, card)
    return card
  }
}

function parsed(text: string): ModelCard | null {
  try {
    return modelCard.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
