import { join } from 'node:path'
import type { Program } from '../src/domain/program.ts'
import { compareInitiative, type InitiativeComparison } from '../src/impact/initiative.ts'
import { type Ranking, rankBy } from '../src/impact/targeting.ts'
import { quoteText } from '../src/lake/database.ts'
import { openLake } from '../src/lake/lake.ts'
import { withScratchDatabase } from '../src/lake/scratch-database.ts'
import { meanOf } from '../src/model/metrics.ts'
import { orderCompared } from '../src/simulation/order-check.ts'
import type { GainKind } from '../src/simulation/treatment-gain.ts'

/** What orders of treating truly bring, beside what was measured of them. Per customer, more being better. */
export interface JudgedOrders {
  readonly everybody: number
  /** By the gain expected of each: as a budget orders, with differences only as far as they were shown. */
  readonly byGain: JudgedOrder
  /** By effects as fitted, shown or not. */
  readonly byEffect: JudgedOrder
  readonly byRisk: JudgedOrder
  /** By the true gain of each: the most that any order brings. */
  readonly byTruth: JudgedOrder
}

interface JudgedOrder {
  /** True gain where half of the customers are treated. */
  readonly half: number
  readonly trueQini: number
  /** Whether the measured interval holds it; null where there is none. */
  readonly isHeld: boolean | null
}

const horizonDays = 90
const outcomes = ['churn', 'upsell', 'advocacy'] as const

/** By what customers are ordered: fewer who leave, or what a budget counts, in euros. */
export const gainKinds: Readonly<Record<string, GainKind>> = {
  'churn avoided, in points': { kind: 'outcome', outcome: 'churn', isDesired: false },
  'euros within 90 days': { kind: 'value' },
}

/** Orders the customers of an initiative by what was measured and tells what that truly brings. By kind of gain. */
export async function judgeOrders(
  program: Program,
  {
    dataFolder,
    company,
    initiative,
    asOf,
    seed,
  }: { dataFolder: string; company: string; initiative: string; asOf: string; seed: number },
): Promise<Map<string, JudgedOrders>> {
  const lake = await openLake(dataFolder, program)
  const request = { program, lake, initiative, asOf, control: null, seed, groupErrors: {} }
  return withScratchDatabase(lake.folder, program, async (database) => {
    const comparison = await compareInitiative(database, { ...request, excluded: new Set<string>() })
    const file = join(company, 'truth', 'effects', 'by-customer.parquet')
    const truths = await database.rows<Record<string, number | string>>(
      `select * from read_parquet(${quoteText(file)}) where initiative = ${quoteText(initiative)}`,
    )
    const byCustomer = new Map(truths.map((row) => [String(row.customer_id), row]))
    const judged = new Map<string, JudgedOrders>()
    for (const [name, kind] of Object.entries(gainKinds)) {
      const found = judgeKind(comparison, kind, { seed, byCustomer })
      if (found) judged.set(name, found)
    }
    return judged
  })
}

type Truths = ReadonlyMap<string, Readonly<Record<string, number | string>>>

function judgeKind(
  comparison: InitiativeComparison,
  kind: GainKind,
  { seed, byCustomer }: { seed: number; byCustomer: Truths },
): JudgedOrders | null {
  const [arm] = comparison.compared
  const metrics = kind.kind === 'outcome' ? [kind.outcome] : outcomes
  const parts = metrics.map((metric) => ({ effect: { metric, horizonDays } }))
  const risk = { outcome: 'churn', isDesired: false }
  const ordered = orderCompared({ comparison, arm, kind, parts, risk, seed })
  if (ordered === null || ordered.risk === null) return null
  const { customers, shown, fitted } = ordered
  const { members } = arm.pair
  const trueGain = (row: number) =>
    metrics.reduce((sum, metric) => {
      const own = comparison.metrics.find((one) => one.metric === metric && one.horizonDays === horizonDays)
      const worth = kind.kind === 'outcome' ? -1 : (own?.worth?.[members[row]] ?? 0)
      const truth = byCustomer.get(comparison.assignments.customerId[members[row]])
      return sum + worth * Number(truth?.[`${metric}_${horizonDays}`] ?? 0)
    }, 0)
  const gain = Float64Array.from(customers.rows, trueGain)
  const judge = (score: (row: number) => number, isMeasured = true): JudgedOrder => {
    const truth = rankBy({ ...customers, gain }, score)
    const { ci95 }: Ranking = rankBy(customers, score)
    const isHeld = isMeasured ? ci95[0] <= truth.qini && truth.qini <= ci95[1] : null
    return { half: truth.gains[5], trueQini: truth.qini, isHeld }
  }
  const { risk: risks } = ordered
  return {
    everybody: meanOf(gain),
    byGain: judge((row) => shown[row]),
    byEffect: judge((row) => fitted[row]),
    byRisk: judge((row) => risks[row]),
    byTruth: judge(trueGain, false),
  }
}

/** Means over companies of what treating half of the customers truly brings. */
export function summariseOrders(
  companies: readonly ReadonlyMap<string, JudgedOrders>[],
  { initiative, print }: { initiative: string; print: (line: string) => void },
): void {
  for (const name of Object.keys(gainKinds)) {
    const own = companies.flatMap((judged) => judged.get(name) ?? [])
    if (own.length === 0) continue
    const factor = gainKinds[name].kind === 'outcome' ? 100 : 1
    const show = (value: number) => (factor * value).toFixed(3)
    if (own.every(({ byTruth }) => byTruth.half === 0)) {
      const held = own.filter(({ byGain }) => byGain.isHeld).length
      print(
        `${initiative} truly does nothing: ${held} of ${own.length} intervals of its order by expected gain, ${name}, hold a Qini of 0`,
      )
      continue
    }
    const half = own.map(({ everybody }) => everybody / 2)
    print(
      `True gain of treating the half that an order puts first, ${initiative}, ${name} a customer, mean of ${own.length} companies (half at random ${show(meanOf(half))}):`,
    )
    const orders = {
      'by expected gain': 'byGain',
      'by the effect as fitted': 'byEffect',
      'by churn risk': 'byRisk',
      'by the true effect': 'byTruth',
    } as const
    for (const [words, order] of Object.entries(orders)) {
      const judged = own.map((one) => one[order])
      const better = judged.filter(({ half: gain }, company) => gain > half[company]).length
      const held = judged.filter(({ isHeld }) => isHeld).length
      const intervals =
        judged[0].isHeld === null ? '' : `; ${held} of ${own.length} intervals hold the true Qini`
      print(
        `  ${words.padEnd(24)} ${show(meanOf(judged.map((one) => one.half)))}, true Qini ${show(meanOf(judged.map((one) => one.trueQini)))}, better than random in ${better}${intervals}`,
      )
    }
  }
}
