import { z } from 'zod'
import type { RecordedAnswer } from '../control/saved-scenarios.ts'

const figure = z.object({ value: z.number(), ci95: z.tuple([z.number(), z.number()]) })
const rate = z.object({ rate: z.number(), ci95: z.tuple([z.number(), z.number()]) })
const money = z.object({ net: z.number(), net_ci95: z.tuple([z.number(), z.number()]) })

/** Whatever in an answer tells a difference: a scenario, or one of its strengths. */
const told = z.object({
  name: z.string().optional(),
  strength: z.number().optional(),
  support: z.object({ refused: z.boolean() }),
  difference: z
    .object({ nps: z.record(z.string(), figure), outcomes: z.record(z.string(), rate) })
    .nullable(),
  money: money.optional(),
  if_causal: money.optional(),
})

/** What is remembered of an answer, to set it beside those of other days. Names are a contract: see the README. */
export const headlineSchema = z.object({
  name: z.string().nullable().meta({ description: 'Of the scenario; null for one of its strengths' }),
  strength: z.number().nullable().meta({ description: 'Of a sweep or a goal' }),
  refused: z.boolean().meta({ description: 'The scenario left what is known; there is no difference' }),
  difference: z
    .record(z.string(), figure)
    .meta({ description: 'By `nps_<days>` (points) and `<outcome>_<horizon>` (probability)' }),
  money: figure.nullable().meta({ description: 'Net, program currency' }),
  if_causal: figure.nullable().meta({ description: 'Net, if the behaviour is the cause' }),
})
export type Headline = z.infer<typeof headlineSchema>

/** What is remembered of the answer to a saved scenario; when it was given, who remembers it knows. */
export interface QuestionRecord extends Omit<RecordedAnswer, 'answeredAt' | 'headlines'> {
  readonly headlines: readonly Headline[]
}

/** The differences that an answer of any form tells, in its order. */
export function headlinesOf(answer: unknown): Headline[] {
  const parsed = told.safeParse(answer)
  if (parsed.success) return [headlineOf(parsed.data)]
  if (typeof answer !== 'object' || answer === null) return []
  return Object.values(answer).flatMap(headlinesOf)
}

function headlineOf(answer: z.infer<typeof told>): Headline {
  const { nps = {}, outcomes = {} } = answer.difference ?? {}
  const points = Object.entries(nps).map(([days, { value, ci95 }]) => [`nps_${days}`, { value, ci95 }])
  const rates = Object.entries(outcomes).map(([task, { rate: value, ci95 }]) => [task, { value, ci95 }])
  return {
    name: answer.name ?? null,
    strength: answer.strength ?? null,
    refused: answer.support.refused,
    difference: answer.support.refused ? {} : Object.fromEntries([...points, ...rates]),
    money: netOf(answer.money),
    if_causal: netOf(answer.if_causal),
  }
}

function netOf(worth: z.infer<typeof money> | undefined): z.infer<typeof figure> | null {
  return worth === undefined ? null : { value: worth.net, ci95: worth.net_ci95 }
}
