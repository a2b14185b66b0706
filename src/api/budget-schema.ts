import { z } from 'zod'
import { evidences } from '../impact/measurement.ts'

const range = z.tuple([z.number(), z.number()])
const amount = z.strictObject({ value: z.number(), ci80: range, ci95: range })
const point = z.strictObject({ spent: z.number(), value: z.number(), ci80: range, ci95: range })
const order = z.strictObject({ qini: z.number(), ci95: range, gains: z.array(z.number()) })
const evidence = z.enum(evidences)

const gain = z.strictObject({
  expected_gain: amount,
  cost: z.number(),
  net: amount.nullable().meta({ description: 'Null where the gain is no money' }),
  p_net_positive: z.number().nullable(),
  p_net_positive_reason: z.string(),
})

const treatment = z.strictObject({
  initiative: z.string(),
  arm: z.string(),
  evidence,
  evidence_reason: z.string(),
  cost_per_customer: z.number(),
  cost_origin: z.enum(['question', 'as tried']),
  inside: z.number(),
  offered: z.number(),
  chosen: z.number(),
  spent: z.number(),
  expected_gain: z.number(),
  mean_gain: z.number(),
  counts: z.array(z.string()),
  differs: z.array(z.string()),
  orders: z
    .strictObject({
      customers: z.number(),
      everybody: z.number(),
      by_net: order,
      by_effect: order,
      by_risk: order.nullable(),
      by_net_than_chance: z.enum(['better', 'worse', 'not_shown']),
      statement: z.string(),
    })
    .nullable()
    .meta({ description: 'Orders judged on the customers whom the initiative was measured on' }),
  warnings: z.array(z.string()),
})

/** The answer to a budget. */
export const budgetAnswerSchema = z
  .strictObject({
    name: z.string(),
    program: z.string(),
    date: z.string(),
    model_version: z.string(),
    currency: z.string(),
    unit: z.enum(['money', 'outcome']),
    counted: z.string(),
    outcome: z.string().nullable(),
    risk: z.strictObject({ outcome: z.string(), first: z.enum(['highest', 'least']) }),
    evidence,
    evidence_reason: z.string(),
    customers: z.number(),
    offered: z.number(),
    worth_treating: z.number(),
    amount: z.number(),
    treated: z.number(),
    spent: z.number(),
    money: gain.optional(),
    if_causal: gain.optional(),
    outcome_gain: gain.optional(),
    most_missed: z.number(),
    break_even: z.strictObject({ customers: z.number(), spent: z.number() }).nullable(),
    curve: z.array(
      z.strictObject({
        customers: z.number(),
        by_net: point,
        by_risk: point.nullable(),
        at_random: point,
      }),
    ),
    initiatives: z.array(treatment),
    left_out: z.array(
      z.strictObject({
        initiative: z.string(),
        arm: z.string().nullable(),
        evidence: evidence.nullable(),
        reason: z.string(),
      }),
    ),
    chosen: z.array(
      z.strictObject({
        customer_id: z.string(),
        initiative: z.string(),
        arm: z.string(),
        expected_gain: z.number(),
        cost: z.number(),
        net: z.number().nullable(),
        risk: z.number().nullable(),
      }),
    ),
    statement: z.string(),
    assumptions: z.array(z.string()),
  })
  .meta({ id: 'BudgetAnswer', description: 'Whom to treat with a budget; all amounts in program currency' })
