import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { MeasureReport, ResultReport } from '../src/jobs/measure.ts'
import { readProgram } from '../src/lake/program-file.ts'
import { meanOf } from '../src/model/metrics.ts'
import { loyalcast } from './commands.ts'
import { type JudgedOrders, judgeOrders, summariseOrders } from './what-if-orders.ts'

const truthSchema = z.record(
  z.string(),
  z.record(z.string(), z.object({ effects: z.record(z.string(), z.object({ effect: z.number() })) })),
)

/** A fixed day, so that figures repeat whenever the measurement is made. */
const lastDay = '2026-10-31'
const initiatives = ['loyalty-call', 'welcome-video', 'priority-support'] as const
/** The task that a company is judged by. */
const primary = 'churn_90'

/** What was measured of an initiative in one company, and what the orders of treating by it truly bring. */
interface JudgedInitiative {
  readonly judged: readonly Judged[]
  readonly ordered: ReadonlyMap<string, JudgedOrders>
}

/** One effect on one task in one company, in points of probability. */
interface Judged {
  readonly task: string
  readonly truth: number
  readonly effect: number
  readonly isHeld: boolean
  /** Difference of the arms as they are. */
  readonly plain: number
  readonly evidence: string
}

export interface CompaniesRequest {
  readonly seeds: number
  readonly customers: number
  readonly print: (line: string) => void
}

/** Simulates companies, measures their initiatives by the documented command and compares with what is true. */
export async function judgeCompanies({ seeds, customers, print }: CompaniesRequest): Promise<void> {
  print(`\nEffects on ${primary} in ${seeds} companies of ${customers} customers, in points of probability:`)
  const all = new Map<string, Judged[]>()
  const orders = new Map<string, ReadonlyMap<string, JudgedOrders>[]>()
  for (let seed = 1; seed <= seeds; seed++) {
    for (const [initiative, { judged, ordered }] of await judgeCompany(seed, customers)) {
      orders.set(initiative, [...(orders.get(initiative) ?? []), ordered])
      all.set(initiative, [...(all.get(initiative) ?? []), ...judged])
      const own = judged.find(({ task }) => task === primary)
      if (own)
        print(
          `  seed ${String(seed).padStart(2)} ${initiative.padEnd(17)} truth ${points(own.truth)}, measured ${points(own.effect)}, ${own.isHeld ? 'held' : 'not held'} (${own.evidence})`,
        )
    }
  }
  for (const [initiative, judged] of all) summarise(initiative, judged, print)
  for (const [initiative, own] of orders) summariseOrders(own, { initiative, print })
}

async function judgeCompany(seed: number, customers: number): Promise<[string, JudgedInitiative][]> {
  const work = await mkdtemp(join(tmpdir(), 'loyalcast-what-if-'))
  const company = join(work, 'company')
  const common = ['--data', join(work, 'data'), '--models', join(work, 'models'), '--seed', String(seed)]
  try {
    const size = ['--customers', String(customers), '--last-day', lastDay]
    await loyalcast(['simulate', company, ...size, ...common], {})
    const truth = truthSchema.parse(
      JSON.parse(await readFile(join(company, 'truth', 'initiatives.json'), 'utf8')),
    )
    const found: [string, JudgedInitiative][] = []
    for (const initiative of initiatives) {
      const program = join(company, 'program.yaml')
      const report: MeasureReport = JSON.parse(
        await loyalcast(['measure', program, initiative, '--json', ...common], {}),
      )
      const { effects } = truth[initiative].everybody
      const judged = report.results.flatMap((result) => judge(result, report, effects))
      const ordered = await judgeOrders(await readProgram(program, {}), {
        ...{ dataFolder: join(work, 'data'), company, initiative, asOf: lastDay, seed },
      })
      found.push([initiative, { judged, ordered }])
    }
    return found
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function judge(
  result: ResultReport,
  { evidence }: MeasureReport,
  effects: Readonly<Record<string, { effect: number }>>,
): Judged[] {
  const task = `${result.metric}_${result.horizon_days}`
  const truth = effects[task]?.effect
  if (truth === undefined) return []
  const { ci95, effect, plain_difference: plain } = result
  return [{ task, truth, effect, plain, evidence, isHeld: ci95[0] <= truth && truth <= ci95[1] }]
}

function summarise(initiative: string, judged: readonly Judged[], print: (line: string) => void): void {
  print(`${initiative}:`)
  for (const task of new Set(judged.map((own) => own.task))) {
    const own = judged.filter((one) => one.task === task)
    const held = own.filter(({ isHeld }) => isHeld).length
    const bias = meanOf(own.map(({ effect, truth }) => effect - truth))
    const distance = meanOf(own.map(({ effect, truth }) => Math.abs(effect - truth)))
    const plain = meanOf(own.map((one) => Math.abs(one.plain - one.truth)))
    print(
      `  ${task.padEnd(12)} ${held} of ${own.length} intervals hold the truth; bias ${points(bias)}, mean distance ${points(distance)}, of the plain difference ${points(plain)}`,
    )
  }
}

export function points(probability: number): string {
  return `${probability < 0 ? '' : '+'}${(100 * probability).toFixed(2)}`
}
