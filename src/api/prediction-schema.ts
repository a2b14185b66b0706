import { z } from 'zod'
import { isDay } from '../domain/days.ts'
import { answerClasses } from '../domain/prediction.ts'

/** A calendar day in a query. */
export const daySchema = z
  .string()
  .max(20)
  .refine(isDay, 'is no day; a day looks like 2026-11-20')
  .meta({ format: 'date', description: "A day in the program's timezone", examples: ['2026-11-20'] })

export const programParams = z.object({
  program: z
    .string()
    .max(48, 'is longer than the 48 characters of a name')
    .meta({ description: 'Name of a program', examples: ['my-shop'] }),
})

/** Longest id that can be asked for, in characters. */
const longestId = 512

export const customerParams = programParams.extend({
  customer_id: z
    .string()
    .max(longestId, `is longer than ${longestId} characters`)
    .meta({ description: 'Percent-encoded where it holds /, ? or the like', examples: ['c101'] }),
})

const driverSchema = z
  .object({
    feature: z.string(),
    words: z.string().meta({ description: 'The behaviour in words' }),
    value: z.union([z.number(), z.string()]).nullable().meta({ description: "The customer's own value" }),
    effect: z.number().meta({ description: 'How much it moved the prediction, in its unit' }),
    unit: z.enum(['probability', 'points']),
    outcome: z.string().meta({ description: 'Which prediction: an outcome or nps' }),
  })
  .meta({ id: 'Driver', description: 'A behaviour that moved this prediction. An association, not a cause' })

const score = z.number().nullable()
const probability = (description: string) => z.number().min(0).max(1).nullable().meta({ description })
const money = (description: string) =>
  z
    .number()
    .nullable()
    .meta({ description: `${description}; program currency` })

/** One customer's prediction of one day. The columns that depend on the program's outcomes and horizons are open. */
export const predictionSchema = z
  .object({
    program: z.string(),
    customer_id: z.string(),
    date: daySchema,
    model_version: z.string().meta({ examples: ['2026-11-20-1'] }),
    status: z.enum(['predicted', 'abstained']),
    reason: z.string().nullable().meta({ description: 'Why there is no prediction' }),
    nps_score: score.meta({ description: 'Expected answer if asked today, 0 to 10' }),
    nps_low: score.meta({ description: 'Lower end of the 80% interval of the answer' }),
    nps_high: score.meta({ description: 'Upper end of the 80% interval of the answer' }),
    p_detractor: probability('Probability of an answer 0 to 6'),
    p_passive: probability('Probability of an answer 7 or 8'),
    p_promoter: probability('Probability of an answer 9 or 10'),
    nps_class: z.enum(answerClasses).nullable(),
    annual_value: money('What the customer brings in a year'),
    value_at_risk: money('annual_value × margin × churn at the longest horizon'),
    expected_gain: money('Amounts of the desired outcomes × their probability at the longest horizon'),
    expected_value_12m: money(
      'annual_value × margin × the share of the coming year that the customer is expected to stay, discounted',
    ),
    next_likely: z
      .string()
      .nullable()
      .meta({ description: "The outcome raised most over everybody's probability" }),
    segment: z.string().nullable(),
    top_drivers: z.array(driverSchema),
    flags: z
      .record(z.string(), z.string())
      .meta({ description: 'Task → model, base_rate or abstained:<why>' }),
  })
  .catchall(z.number().nullable())
  .meta({
    id: 'Prediction',
    description:
      "One customer's prediction of one day. Beside the named fields it has, for each of the program's horizons, nps_score_<horizon>, p_detractor_<horizon> and p_promoter_<horizon> (asked so many days later), and for each of its outcomes and horizons <outcome>_<horizon>, the probability that it happens within so many days; null where the task abstains.",
    examples: [
      {
        program: 'my-shop',
        customer_id: 'c101',
        date: '2025-12-31',
        model_version: '2025-12-31-1',
        status: 'predicted',
        reason: null,
        nps_score: null,
        nps_low: null,
        nps_high: null,
        p_detractor: null,
        p_passive: null,
        p_promoter: null,
        nps_class: null,
        churn_30: 0.007052,
        churn_60: 0.028547,
        churn_90: 0.036602,
        annual_value: 480,
        value_at_risk: 7.03,
        expected_gain: null,
        expected_value_12m: 180.67,
        next_likely: null,
        segment: null,
        top_drivers: [],
        flags: { churn: 'model', nps: 'abstained:no_responses' },
      },
    ],
  })
