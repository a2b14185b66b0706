import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from '../src/domain/program.ts'
import { silentReporter } from '../src/domain/progress.ts'
import type { WhatIfReport } from '../src/jobs/answer-report.ts'
import { askWhatIf } from '../src/jobs/what-if.ts'
import { WhatIfSession } from '../src/jobs/what-if-session.ts'
import { readProgram } from '../src/lake/program-file.ts'
import { parseScenario } from '../src/simulation/scenario.ts'
import { loyalcast } from './commands.ts'
import { DatabaseWatch } from './database-watch.ts'

/** A fixed day, so that figures repeat whenever the measurement is made. */
const lastDay = '2026-10-31'
const days = 365
/** Of the customers who join within the year, at least so many are still there on its last day. */
const stayingShare = 0.75
const seed = 1
const learnedRows = 20_000

/** What a person asks: rare and frequent events, certain and random edits, of some customers and of all. */
const scenarios: Readonly<Record<string, Record<string, unknown>>> = {
  'half of ticket_reopened gone, at-risk passives': {
    population: { segment: 'at-risk-passives' },
    changes: [{ events: ['ticket_reopened'], remove: 0.5 }],
  },
  'half of ticket_reopened gone, everybody': { changes: [{ events: ['ticket_reopened'], remove: 0.5 }] },
  'tickets solved in 70% of the time': {
    changes: [{ events: ['ticket'], property: 'resolution_hours', scale: 0.7 }],
  },
  'annual contracts for everybody': { changes: [{ attribute: 'contract', set: 'annual' }] },
  'two more logins for everybody': { changes: [{ events: ['login'], add: 2 }] },
  'loyalty-call for everybody': { changes: [{ initiative: 'loyalty-call' }] },
}

export interface SpeedRequest {
  /** Customers who are predicted on the day, at least. */
  readonly customers: number
  /** Times that each question is asked again of a sample. */
  readonly rounds: number
  /** Where the company is kept for the next run; null: removed in the end. */
  readonly folder: string | null
  /** Scenarios whose names hold this text; empty: all. */
  readonly only: string
  readonly print: (line: string) => void
}

/** How long answers take in a process that is up: of the sample, and of everybody. */
export async function measureSpeed({ customers, folder, print, ...request }: SpeedRequest): Promise<void> {
  const work = folder ?? (await mkdtemp(join(tmpdir(), 'loyalcast-speed-')))
  try {
    const program = await prepareCompany(work, customers, print)
    await measureAnswers(program, { ...request, work, print })
  } finally {
    if (folder === null) await rm(work, { recursive: true, force: true })
  }
}

/** Simulates, trains and predicts by the commands, unless that was done before. */
async function prepareCompany(
  work: string,
  customers: number,
  print: (line: string) => void,
): Promise<Program> {
  const company = join(work, `company-${customers}`)
  const path = join(company, 'program.yaml')
  const done = join(work, `prepared-${customers}`)
  const common = ['--data', join(work, 'data'), '--models', join(work, 'models'), '--seed', String(seed)]
  const run = async (...args: string[]) => {
    const started = performance.now()
    await loyalcast([...args, ...common], {})
    print(`  ${args[0].padEnd(10)} ${seconds(performance.now() - started)}`)
  }
  if (!existsSync(done)) {
    print(`A company of ${customers} customers over ${days} days, learned from ${learnedRows} rows:`)
    const joining = String(Math.ceil(customers / stayingShare))
    await run('simulate', company, '--customers', joining, '--days', String(days), '--last-day', lastDay)
    await run('train', path, '--as-of', lastDay, '--max-rows', String(learnedRows))
    await run('daily', path, '--date', lastDay, '--no-ingest')
    await writeFile(done, '')
  }
  return readProgram(path, process.env)
}

interface Measuring extends Pick<SpeedRequest, 'rounds' | 'only' | 'print'> {
  readonly work: string
}

async function measureAnswers(program: Program, { work, rounds, only, print }: Measuring): Promise<void> {
  const folders = { dataFolder: join(work, 'data'), modelsFolder: join(work, 'models') }
  const session = new WhatIfSession(program, folders)
  const asked = Object.entries(scenarios).filter(([name]) => name.includes(only))
  const ask = (scenario: Record<string, unknown>, isFull: boolean) =>
    timed(() =>
      askWhatIf(program, {
        ...{ ...folders, session, isFull, seed, reporter: silentReporter },
        scenario: parseScenario(scenario),
      }),
    )
  try {
    // The threads of a process that stays up are started once.
    const first = await ask({}, false)
    print(`${first.report.customers} customers; ${availableParallelism()} processors.`)
    print(`A process that has just started answers its first question in ${seconds(first.wallMs)}.`)
    for (const isFull of [false, true]) {
      print(
        isFull
          ? 'Everybody, once each: time; seconds of processors; customers edited'
          : `A sample, median of ${rounds} (asked for the first time): time; seconds of processors; customers edited`,
      )
      for (const [name, scenario] of asked) {
        const runs: Timed[] = []
        for (let round = 0; round <= (isFull ? 0 : rounds); round++) runs.push(await ask(scenario, isFull))
        print(`  ${name.padEnd(48)} ${lineOf(runs)}`)
        print(`    ${runs[runs.length - 1].stages}`)
      }
      print(`  Memory at most so far: ${(process.resourceUsage().maxRSS / 1024 ** 2).toFixed(1)} GiB.`)
    }
  } finally {
    await session.close()
  }
}

interface Timed {
  readonly report: WhatIfReport
  readonly wallMs: number
  readonly processorMs: number
  readonly stages: string
}

async function timed(ask: () => Promise<WhatIfReport>): Promise<Timed> {
  const watch = new DatabaseWatch()
  const used = process.cpuUsage()
  const started = performance.now()
  try {
    const report = await ask()
    const wallMs = performance.now() - started
    const { user, system } = process.cpuUsage(used)
    return { report, wallMs, processorMs: (user + system) / 1000, stages: watch.inWords(wallMs) }
  } finally {
    watch.stop()
  }
}

function lineOf(runs: readonly Timed[]): string {
  const [first, ...again] = runs
  const sorted = (again.length > 0 ? again : runs).toSorted((a, b) => a.wallMs - b.wallMs)
  const median = sorted[Math.floor((sorted.length - 1) / 2)]
  const before = again.length > 0 ? ` (${seconds(first.wallMs)})` : ''
  const { edited, customers } = median.report
  return `${seconds(median.wallMs)}${before}; ${seconds(median.processorMs)}; ${edited} of ${customers}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
