import { join } from 'node:path'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { Database } from '../lake/database.ts'
import { openLake } from '../lake/lake.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { ModelCards } from '../model/model-cards.ts'
import { Registry } from '../model/registry.ts'
import { loadChampion } from '../model/stored-predictor.ts'
import {
  listMoved,
  type MovedCustomer,
  type SegmentDifference,
  splitBySegment,
} from '../simulation/breakdown.ts'
import type { GroupFigures } from '../simulation/figures.ts'
import type { ScenarioMoney } from '../simulation/money.ts'
import type { Scenario } from '../simulation/scenario.ts'
import { answerScenario, type ScenarioAnswer } from '../simulation/what-if.ts'

export interface WhatIfOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly scenario: Scenario
  /** Whether the whole population is looked at instead of a sample. */
  readonly isFull: boolean
  readonly seed: number
  readonly reporter: Reporter
}

/** The answer to a scenario, as `--json` prints it. Names are a contract: see the README. */
export interface WhatIfReport {
  readonly name: string
  readonly program: string
  readonly date: string
  readonly model_version: string
  readonly evidence: ScenarioAnswer['evidence']
  readonly evidence_reason: string
  readonly customers: number
  readonly sampled: number
  readonly edited: number
  readonly support: { readonly inside: number; readonly refused: boolean; readonly reason: string | null }
  readonly baseline: GroupFigures | null
  readonly scenario: GroupFigures | null
  readonly difference: GroupFigures | null
  readonly cost: number
  readonly currency: string
  readonly money?: ScenarioMoney
  readonly if_causal?: ScenarioMoney
  /** Differences by segment. */
  readonly segments: readonly SegmentDifference[]
  /** Customers of the sample whom the scenario moves most. */
  readonly most_moved: readonly MovedCustomer[]
  readonly assumptions: readonly string[]
}

/** Customers named who are moved most. */
const mostMoved = 10

/** Customers of whom a question is answered at once. */
const sampledCustomers = 2000

/** Answers a what-if question from the lake and the version that serves. */
export async function askWhatIf(program: Program, options: WhatIfOptions): Promise<WhatIfReport> {
  const { dataFolder, modelsFolder, scenario, isFull, seed, reporter } = options
  const { predictor } = await loadChampion(modelsFolder, program)
  const lake = await openLake(dataFolder, program)
  return withScratchFolder(lake.folder, async (folder) => {
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: program.timezone })
    try {
      const champion = await new Registry(modelsFolder, program.name).champion()
      const card = await new ModelCards(new Registry(modelsFolder, program.name)).read(champion as string)
      const answer = await answerScenario(database, {
        ...{ card, scenario, seed },
        asked: { program, lake, predictor },
        most: isFull ? null : sampledCustomers,
        onDraw: (done, total) => reporter.progress({ phase: 'what-if', done, total }),
      })
      return reportOf(program, answer)
    } finally {
      database.close()
    }
  })
}

function reportOf(program: Program, answer: ScenarioAnswer): WhatIfReport {
  const { scenario, day, scope, support, evaluation, figures, money } = answer
  const isGiven = !support.refused
  return {
    name: scenario.name,
    program: program.name,
    date: day.date,
    model_version: day.modelVersion,
    evidence: answer.evidence,
    evidence_reason: answer.evidenceWords,
    customers: scope.customers,
    sampled: scope.sampled,
    edited: Math.round((evaluation.edited.length * scope.customers) / scope.sampled),
    support: { inside: support.inside, refused: support.refused, reason: support.reason },
    baseline: isGiven ? figures.baseline : null,
    scenario: isGiven ? figures.scenario : null,
    difference: isGiven ? figures.difference : null,
    cost: answer.cost,
    currency: program.currency,
    ...(money && isGiven && (answer.evidence === 'associational' ? { if_causal: money } : { money })),
    segments: isGiven ? splitBySegment(evaluation) : [],
    most_moved: isGiven ? listMoved(evaluation, mostMoved) : [],
    assumptions: answer.assumptions,
  }
}
