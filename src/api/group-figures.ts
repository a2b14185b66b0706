import { z } from 'zod'
import type { Program } from '../domain/program.ts'
import type { GroupMean, GroupTotals } from '../lake/prediction-totals.ts'
import { forecastGroup } from '../model/group-forecast.ts'
import type { ModelCard } from '../model/model-cards.ts'

const interval = z.tuple([z.number(), z.number()]).nullable().meta({
  description: '95% interval of what would be counted; null where the version does not know its error',
})

const netScore = z.object({
  value: z.number().meta({ description: 'Net promoter score, -100 to 100' }),
  ci95: interval,
})

const expected = z.object({
  rate: z.number().meta({ description: 'Mean probability' }),
  ci95: interval.meta({ description: '95% interval of the rate' }),
  customers: z.number().meta({ description: 'Expected number of customers' }),
  customers_ci95: interval.meta({ description: '95% interval of the number' }),
})

const money = (description: string) =>
  z
    .number()
    .nullable()
    .meta({ description: `${description}, program currency; null where not configured or not known` })

/** What is forecast of a group of customers. */
export const groupSchema = z.object({
  customers: z.number().int().meta({ description: 'Customers at risk that day' }),
  predicted: z.number().int(),
  abstained: z.number().int(),
  nps: z.record(z.string(), netScore.nullable()).meta({
    description:
      'By days ahead: "0" is today. 100 × mean(p_promoter − p_detractor) over everybody, whether or not they answer; corrected at most for what is known of customers, see non_response of the model',
  }),
  outcomes: z
    .record(z.string(), expected.nullable())
    .meta({ description: 'By <outcome>_<horizon>; null where the task abstains' }),
  annual_value: money('Sum over the customers'),
  value_at_risk: money('Sum over the customers'),
  expected_gain: money('Sum over the customers'),
  expected_value_12m: money('Sum over the customers'),
})
export type GroupBody = z.infer<typeof groupSchema>

/** The forecast of a group with its intervals, as far as the card of the version knows its errors. */
export function groupBody(
  totals: GroupTotals,
  { horizonsDays, outcomes }: Pick<Program, 'horizonsDays' | 'outcomes'>,
  card: ModelCard | null,
): GroupBody {
  const { means, customers, predicted } = totals
  return {
    customers,
    predicted,
    abstained: customers - predicted,
    nps: Object.fromEntries(
      [0, ...horizonsDays].map((days) => [
        String(days),
        netScoreOf(`nps_${days}`, means[`nps_${days}`], card),
      ]),
    ),
    outcomes: Object.fromEntries(
      outcomes.flatMap(({ name }) =>
        horizonsDays.map((days) => {
          const task = `${name}_${days}`
          return [task, expectedOf(task, means[task], card)]
        }),
      ),
    ),
    annual_value: totals.annualValue,
    value_at_risk: totals.valueAtRisk,
    expected_gain: totals.expectedGain,
    expected_value_12m: totals.expectedValue12m,
  }
}

export function netScoreOf(
  task: string,
  group: GroupMean,
  card: ModelCard | null,
): z.infer<typeof netScore> | null {
  if (group.mean === null) return null
  const error = card?.groupErrors[task] ?? null
  const { value, ci95 } = forecastGroup(group.mean, group.customers, { error, range: [-100, 100] })
  return { value: rounded(value, 4), ci95: ci95 && [rounded(ci95[0], 4), rounded(ci95[1], 4)] }
}

export function expectedOf(
  task: string,
  group: GroupMean,
  card: ModelCard | null,
): z.infer<typeof expected> | null {
  if (group.mean === null) return null
  const error = card?.groupErrors[task] ?? null
  const { value, ci95 } = forecastGroup(group.mean, group.customers, { error, range: [0, 1] })
  const counted = (rate: number) => rounded(rate * group.customers, 2)
  return {
    rate: rounded(value, 6),
    ci95: ci95 && [rounded(ci95[0], 6), rounded(ci95[1], 6)],
    customers: counted(value),
    customers_ci95: ci95 && [counted(ci95[0]), counted(ci95[1])],
  }
}

function rounded(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals
}
