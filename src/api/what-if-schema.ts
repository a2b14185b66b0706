import { z } from 'zod'
import { evidences } from '../impact/measurement.ts'
import { questionSchema } from '../simulation/question-forms.ts'
import { budgetAnswerSchema } from './budget-schema.ts'

const interval = (share: number) =>
  z.tuple([z.number(), z.number()]).meta({ description: `${share}% interval` })

const figure = z.object({ value: z.number(), ci80: interval(80), ci95: interval(95) })

const outcomeFigure = z.object({
  rate: z.number().meta({ description: 'Mean probability, or its difference' }),
  customers: z.number().meta({ description: 'How many customers that is' }),
  ci80: interval(80).meta({ description: '80% interval of the rate' }),
  ci95: interval(95).meta({ description: '95% interval of the rate' }),
})

const figures = z
  .strictObject({
    nps: z.record(z.string(), figure).meta({ description: 'Net promoter score by days ahead; "0" is today' }),
    outcomes: z.record(z.string(), outcomeFigure).meta({ description: 'By <outcome>_<horizon>' }),
  })
  .meta({ id: 'WhatIfFigures' })

const amount = (description: string) => z.number().nullable().meta({ description })

const money = z
  .strictObject({
    revenue_protected: amount('Margin of customers who stay, over a discounted year'),
    revenue_protected_horizon: amount('The same within the longest horizon'),
    revenue_gained: amount('Of desired outcomes'),
    cost_avoided: amount('Of contacts not made'),
    cost: z.number(),
    net: z.number(),
    net_ci80: interval(80),
    net_ci95: interval(95),
    roi: amount('Net over cost; null without cost'),
    roi_ci95: interval(95).nullable(),
    p_net_positive: amount('Null where the evidence does not allow a probability'),
    p_net_positive_reason: z.string(),
    break_even_cost: z.number().meta({ description: 'The change pays up to this cost' }),
  })
  .meta({ id: 'WhatIfMoney', description: 'Program currency; null where it is not configured' })

const worth = {
  money: money.optional().meta({ description: 'With evidence of an effect' }),
  if_causal: money.optional().meta({ description: 'Where the evidence is associational' }),
}

const support = z.strictObject({
  inside: z.number().meta({ description: 'Share of the edited customers who look like some that there are' }),
  refused: z.boolean().meta({ description: 'Too few do: there is no answer' }),
  reason: z.string().nullable(),
})

const moved = {
  segment: z.string().nullable(),
  difference: z.record(z.string(), z.number()).meta({ description: 'By nps_<days> and <outcome>_<horizon>' }),
  value: amount('Program currency'),
}

/** Where the numbers come from. */
const origin = {
  name: z.string(),
  program: z.string(),
  date: z.string(),
  model_version: z.string(),
  evidence: z.enum(evidences),
  evidence_reason: z.string(),
  customers: z.number().int().meta({ description: 'Of the population' }),
  sampled: z.number().int().meta({ description: 'Of these, looked at' }),
}
const assumptions = z.array(z.string())

const associational = z
  .strictObject({ scenario: figures, difference: figures, if_causal: worth.if_causal })
  .nullable()
  .meta({ description: 'What forecasts say by themselves, beside an adjusted answer; null beside any other' })

export const scenarioAnswerSchema = z
  .strictObject({
    ...origin,
    edited: z.number().int().meta({ description: 'Whose behaviour the scenario changes' }),
    support,
    baseline: figures.nullable(),
    scenario: figures.nullable(),
    difference: figures
      .nullable()
      .meta({ description: 'Null, as the others, where the scenario is refused' }),
    associational,
    cost: z.number(),
    currency: z.string(),
    ...worth,
    segments: z.array(z.strictObject({ ...moved, customers: z.number().int() })),
    most_moved: z
      .array(z.strictObject({ ...moved, customer_id: z.string() }))
      .meta({ description: 'Customers whom the scenario moves most' }),
    assumptions,
  })
  .meta({ id: 'ScenarioAnswer', description: 'What would be forecast, with the evidence behind it' })

const originSchema = z
  .strictObject({ ...origin, assumptions })
  .meta({ id: 'AnswerOrigin', description: 'Where the numbers come from' })

const strengthSchema = z
  .strictObject({
    strength: z.number().meta({ description: '0: nothing; 1: the changes as asked' }),
    changes: z.array(z.string()).meta({ description: 'The changes at this strength, in words' }),
    support,
    scenario: figures,
    difference: figures,
    ...worth,
    associational,
  })
  .meta({ id: 'StrengthAnswer' })

const goalSchema = z.strictObject({
  figure: z.string(),
  target: z.number(),
  reached: z.boolean(),
  baseline: z.number(),
  value: z.number().meta({ description: 'Where the nearest strength brings the figure' }),
  nearest: strengthSchema,
  statement: z.string(),
})

/** The answer to a question of any form, as `--json` prints it and the API sends it. */
export const whatIfAnswerSchema = z
  .union([
    scenarioAnswerSchema,
    z.strictObject({ compare: z.array(scenarioAnswerSchema) }),
    z.strictObject({ origin: originSchema, sweep: z.array(strengthSchema) }),
    z.strictObject({ origin: originSchema, goal: goalSchema }),
    z.strictObject({ budget: budgetAnswerSchema }),
  ])
  .meta({ id: 'WhatIfAnswer', description: 'By the form of the question' })

const { $schema: _, ...questionForms } = z.toJSONSchema(questionSchema, { io: 'input' })

/** A question, described by its schema but not checked by it: reading it tells better what is wrong. */
export const questionBody = z.unknown().meta({
  ...questionForms,
  description: 'A scenario, a question of another form around scenarios, or a budget',
  examples: [
    {
      name: 'Fewer tickets',
      population: { segment: 'at-risk-passives' },
      changes: [{ events: ['ticket'], remove: 0.5 }],
      reach: 0.8,
      cost: { fixed: 20000, per_customer: 2.5 },
    },
  ],
})
