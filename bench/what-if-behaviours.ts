import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WhatIfReport } from '../src/jobs/answer-report.ts'
import { meanOf } from '../src/model/metrics.ts'
import type { Sparing } from '../training/synthetic/feelings.ts'
import { loyalcast } from './commands.ts'
import { trueDifferences } from './spared-truth.ts'
import { points } from './what-if-companies.ts'

const lastDay = '2026-10-31'
const days = 548
const inForceDays = 90

/** Behaviours that are taken away whole, and what the laws say that they do. Null: nothing at all. */
const behaviours: Readonly<Record<string, Sparing['kind'] | null>> = {
  ticket_reopened: 'ticket_reopened',
  outage: 'outage',
  feature_request: null,
}

interface Judged {
  readonly behaviour: string
  readonly task: string
  readonly truth: number
  readonly adjusted: number | null
  readonly isHeld: boolean
  readonly associational: number
  readonly isAssociationalHeld: boolean
}

export interface BehavioursRequest {
  readonly seeds: number
  readonly customers: number
  readonly print: (line: string) => void
}

/** Simulates companies, asks what removing behaviours would do, and compares with lives that were spared them. */
export async function judgeBehaviours({ seeds, customers, print }: BehavioursRequest): Promise<void> {
  print(`\nBehaviours taken away in ${seeds} companies of ${customers} customers, in points of probability:`)
  const all: Judged[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const judged = await judgeCompany(seed, customers)
    all.push(...judged)
    for (const own of judged.filter(({ task }) => task === 'churn_90'))
      print(
        `  seed ${String(seed).padStart(2)} ${own.behaviour.padEnd(16)} churn_90: truth ${points(own.truth)}, adjusted ${own.adjusted === null ? 'none' : `${points(own.adjusted)} ${own.isHeld ? 'held' : 'not held'}`}, associational ${points(own.associational)}`,
      )
  }
  for (const behaviour of Object.keys(behaviours))
    summarise(
      all.filter((own) => own.behaviour === behaviour),
      print,
    )
  const told = all.filter((own) => own.behaviour in behaviours)
  summariseAll(told, print)
}

async function judgeCompany(seed: number, customers: number): Promise<Judged[]> {
  const work = await mkdtemp(join(tmpdir(), 'loyalcast-what-if-'))
  const company = join(work, 'company')
  const program = join(company, 'program.yaml')
  const common = ['--data', join(work, 'data'), '--models', join(work, 'models'), '--seed', String(seed)]
  try {
    const size = ['--customers', String(customers), '--days', String(days), '--last-day', lastDay]
    await loyalcast(['simulate', company, ...size, ...common], {})
    await loyalcast(['train', program, ...common], {})
    await loyalcast(['daily', program, '--date', lastDay, ...common], {})
    const judged: Judged[] = []
    for (const [behaviour, kind] of Object.entries(behaviours)) {
      const scenario = join(work, `${behaviour}.json`)
      const changes = [{ events: [behaviour], remove: 1 }]
      await writeFile(scenario, JSON.stringify({ changes, in_force_days: inForceDays }))
      const report: WhatIfReport = JSON.parse(
        await loyalcast(['what-if', program, scenario, '--full', '--json', ...common], {}),
      )
      const spared = kind && { kind, after: days - 1 - inForceDays, share: 1 }
      const truth = spared ? trueDifferences({ seed, days }, { customers, spared }) : null
      judged.push(...judge(behaviour, report, truth))
    }
    return judged
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function judge(
  behaviour: string,
  { evidence, difference, associational }: WhatIfReport,
  truths: Readonly<Record<string, number>> | null,
): Judged[] {
  if (difference === null) return []
  const beside = associational?.difference ?? difference
  return Object.entries(beside.outcomes).map(([task, own]) => {
    const truth = truths?.[task] ?? 0
    const adjusted = evidence === 'adjusted' ? (difference.outcomes[task] ?? null) : null
    const holds = ({ ci95 }: { readonly ci95: readonly [number, number] }) =>
      ci95[0] <= truth && truth <= ci95[1]
    return {
      ...{
        behaviour,
        task,
        truth,
        adjusted: adjusted?.rate ?? null,
        isHeld: adjusted !== null && holds(adjusted),
      },
      ...{ associational: own.rate, isAssociationalHeld: holds(own) },
    }
  })
}

function summarise(judged: readonly Judged[], print: (line: string) => void): void {
  if (judged.length === 0) return
  print(`${judged[0].behaviour}:`)
  for (const task of new Set(judged.map((own) => own.task))) {
    const own = judged.filter((one) => one.task === task && one.adjusted !== null)
    print(`  ${task.padEnd(12)} ${inWords(own)}`)
  }
}

function summariseAll(judged: readonly Judged[], print: (line: string) => void): void {
  const adjusted = judged.filter((own) => own.adjusted !== null)
  print(`All of them: ${adjusted.length} of ${judged.length} answers were adjusted; ${inWords(adjusted)}`)
}

function inWords(judged: readonly Judged[]): string {
  if (judged.length === 0) return 'no adjusted answer'
  const distance = (figure: (own: Judged) => number) =>
    points(meanOf(judged.map((own) => Math.abs(figure(own) - own.truth))))
  const held = judged.filter(({ isHeld }) => isHeld).length
  const beside = judged.filter(({ isAssociationalHeld }) => isAssociationalHeld).length
  const bias = (figure: (own: Judged) => number) =>
    points(meanOf(judged.map((own) => figure(own) - own.truth)))
  return [
    `truth ${points(meanOf(judged.map(({ truth }) => truth)))} on average;`,
    `adjusted off by ${distance((own) => own.adjusted as number)} (bias ${bias((own) => own.adjusted as number)}, ${held} of ${judged.length} intervals hold),`,
    `associational by ${distance((own) => own.associational)} (bias ${bias((own) => own.associational)}, ${beside} hold)`,
  ].join(' ')
}
