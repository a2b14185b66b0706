import { createHash } from 'node:crypto'
import { type Day, dayOfEpoch } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { codeVersion } from '../src/domain/version.ts'
import { listFeatures } from '../src/features/features.ts'
import { startedBackend } from '../src/model/backend.ts'
import type { AnswerCalibrator, HazardCalibrator } from '../src/model/calibrator.ts'
import type { GroupError } from '../src/model/group-forecast.ts'
import type { PredictorParts } from '../src/model/predictor.ts'
import type { AnswerEvaluation } from './answer-evaluation.ts'
import type { OutcomeEvaluation } from './evaluation.ts'
import type { Learned } from './learn.ts'
import { timeMembers } from './member-gains.ts'
import type { NonResponse } from './non-response.ts'
import type { PopulationDrivers } from './population-drivers.ts'
import type { Prepared, TrainOptions } from './prepare.ts'
import type { SegmentEvaluation } from './segment-evaluation.ts'
import type { Split } from './splits.ts'
import type { Skipped } from './tasks.ts'

/** What a version is, what it learned from, how good it is and what it can't do. */
export interface Card {
  readonly program: string
  readonly version: string
  /** ISO 8601. */
  readonly trainedAt: string
  readonly codeVersion: string
  readonly seed: number
  /** TensorFlow.js backend; null without a network. */
  readonly backend: string | null
  readonly data: {
    readonly asOf: Day
    readonly lakeCommit: number
    /** SHA-256 over the lake's files, the definitions and the settings: equal ones give an equal version. */
    readonly fingerprint: string
    readonly rows: number
    readonly customers: number
    readonly firstCutoff: Day | null
    readonly lastCutoff: Day | null
    readonly cutoffs: string
    readonly sampledShare: number
  }
  readonly split: {
    readonly kind: Split['kind']
    readonly words: string
    readonly fitRows: number
    readonly testRows: number
  }
  readonly outcomes: readonly OutcomeEvaluation[]
  readonly nps: AnswerEvaluation | null
  readonly segments: readonly SegmentEvaluation[]
  /** By task with its horizon (`churn_30`, `nps_0`): how far a group's forecast was off on later data. */
  readonly groupErrors: Readonly<Record<string, GroupError>>
  /** Who does not answer, and what that does to the NPS of everybody; null without answers. */
  readonly nonResponse: NonResponse | null
  /** What moves the forecasts of everybody learned from, by task. */
  readonly drivers: readonly PopulationDrivers[]
  readonly skipped: Readonly<Record<string, Skipped>>
  readonly members: readonly MemberAccount[]
  /** Outcomes whose level drifts: days in which a label came to count half as much. */
  readonly halfLivesDays: Readonly<Record<string, number>>
  readonly calibration: Readonly<Record<string, AnswerCalibrator | HazardCalibrator>>
  readonly leaks: Prepared['leaks']
  readonly features: readonly {
    readonly name: string
    readonly unit: string
    readonly words: string
    readonly isUsed: boolean
  }[]
  readonly limits: readonly string[]
}

export interface MemberAccount {
  readonly name: string
  /** Its share by task. */
  readonly weights: Readonly<Record<string, number>>
  /** By task: log loss of the others without it less that of all, in nats a row or answer. Above 0: it helps. */
  readonly adds: Readonly<Record<string, number>>
  /** What predicting a row costs; null where it was not timed. */
  readonly microsecondsPerRow: number | null
}

export interface CardInputs {
  readonly program: Program
  readonly version: string
  readonly prepared: Prepared
  readonly split: Split
  readonly learned: Learned | null
  readonly parts: PredictorParts
  readonly options: TrainOptions
}

const splitWords: Readonly<Record<Split['kind'], string>> = {
  forward:
    'Three blocks forward in time: members learn on the first, blend and calibration on the second, and the figures below come from the third. Labels of a block are censored at the first cutoff of the next.',
  'forward-cross-fitted':
    'Two blocks forward in time: members, blend and calibration (cross-fitted by customer) learn on the first, and the figures below come from the second. There is too little history for a third.',
  'by-customer':
    'By customer, not by time: the data hold one block of time only. A fifth of the customers, drawn by hash, gave the figures below; how well the version holds on later data is not known.',
}

export function makeCard(inputs: CardInputs): Card {
  const { program, version, prepared, split, learned, parts, options } = inputs
  const used = new Set(parts.encoder.encodings.map(({ name }) => name))
  return {
    program: program.name,
    version,
    trainedAt: options.now,
    codeVersion,
    seed: options.seed,
    backend: parts.members.some(({ member }) => member.kind === 'network')
      ? (startedBackend() ?? null)
      : null,
    data: dataOf(inputs),
    split: {
      kind: split.kind,
      words: splitWords[split.kind],
      fitRows: split.fit.rows.length,
      testRows: split.test.rows.length,
    },
    outcomes: learned?.outcomes ?? [],
    nps: learned?.answers ?? null,
    segments: learned?.segments ?? [],
    groupErrors: learned?.groupErrors ?? {},
    nonResponse: learned?.nonResponse ?? null,
    drivers: learned?.drivers ?? [],
    skipped: prepared.tasks.skipped,
    members: accountsOf(inputs),
    halfLivesDays: Object.fromEntries(
      parts.outcomes.flatMap(({ name, halfLifeDays }) => (halfLifeDays ? [[name, halfLifeDays]] : [])),
    ),
    calibration: Object.fromEntries(
      [...parts.outcomes, ...(parts.answers ? [{ name: 'nps', ...parts.answers }] : [])].map(
        ({ name, calibrator }) => [name, calibrator],
      ),
    ),
    leaks: prepared.leaks,
    features: listFeatures(parts.catalogue, program).map(({ name, unit, words }) => ({
      name,
      unit,
      words,
      isUsed: used.has(name),
    })),
    limits: limitsOf(inputs),
  }
}

function dataOf(inputs: CardInputs): Card['data'] {
  const { dataset, asOf, lake } = inputs.prepared
  const days = Array.from(dataset.cutoff).sort((a, b) => a - b)
  return {
    asOf,
    lakeCommit: lake.state.sequence,
    fingerprint: fingerprint(inputs),
    rows: dataset.cutoff.length,
    customers: new Set(dataset.customer).size,
    firstCutoff: days.length > 0 ? dayOfEpoch(days[0]) : null,
    lastCutoff: days.length > 0 ? dayOfEpoch(days[days.length - 1]) : null,
    cutoffs:
      dataset.plan.kind === 'snapshot'
        ? 'one a customer (a snapshot)'
        : `every ${dataset.plan.stepDays} days`,
    sampledShare: dataset.sampledShare,
  }
}

function accountsOf({ parts, learned, prepared, program, options }: CardInputs): MemberAccount[] {
  const times = timeMembers(parts, {
    frame: prepared.dataset.frame,
    leads: parts.answers ? 1 + program.horizonsDays.length : 0,
    stopwatch: options.stopwatch ?? (() => 0),
  })
  return parts.members.map(({ name }, index) => ({
    name,
    weights: weightsOf(parts, index),
    adds: learned?.memberGains[index] ?? {},
    microsecondsPerRow: times[index],
  }))
}

function weightsOf(parts: PredictorParts, member: number): Record<string, number> {
  const weights: Record<string, number> = {}
  for (const outcome of parts.outcomes) weights[outcome.name] = outcome.weights[member]
  if (parts.answers) weights.nps = parts.answers.weights[member]
  return weights
}

function fingerprint({ prepared, options, program }: CardInputs): string {
  const { lake, asOf } = prepared
  const files = lake.state.files.map(({ path, rows }) => [path, rows])
  const definitions = [...lake.state.sources.values()].map(({ definition }) => definition)
  const { folder: _, ...portable } = program
  return createHash('sha256')
    .update(JSON.stringify([files, definitions, portable, asOf, options.seed, options.maxRows, codeVersion]))
    .digest('hex')
}

function limitsOf({ prepared, split, learned, program, parts }: CardInputs): string[] {
  const limits: string[] = []
  if (split.kind === 'by-customer') limits.push('Judged across customers, not on later data.')
  if (prepared.dataset.sampledShare < 1) {
    limits.push(
      `Learned from ${(100 * prepared.dataset.sampledShare).toFixed(1)}% of the customers, drawn by hash.`,
    )
  }
  for (const { name, hasSkill } of learned?.outcomes ?? []) {
    if (!hasSkill) limits.push(`No skill was found for ${name}: the calibrated base rate is served.`)
  }
  if (learned?.answers && !learned.answers.hasSkill)
    limits.push('No skill was found for nps: the distribution of all answers is served.')
  const constant = constantAttributes(prepared, program)
  if (constant.length > 0)
    limits.push(
      `Attributes without valid_from are assumed to have been the same since joining: ${constant.join(', ')}.`,
    )
  if (learned?.answers)
    limits.push(
      'NPS figures are judged on those who answered. Levels are corrected at most for what is known of customers, never for feelings that no behaviour shows.',
    )
  limits.push(`${driverWords(parts)} They are associations, not causes.`)
  return limits
}

function driverWords({ outcomes, answers }: PredictorParts): string {
  const tasks = [...outcomes, ...(answers ? [{ name: 'nps', ...answers }] : [])]
  const shares = tasks.flatMap(({ name, surrogate }) =>
    surrogate ? `${(100 * surrogate.explained).toFixed(0)}% of what ${name} forecasts vary by` : [],
  )
  const explained =
    shares.length > 0 ? ` They explain ${shares.join(', ')}; each forecast names the rest.` : ''
  return `Drivers add up what single behaviours move.${explained}`
}

/** Attributes that some source gave without valid_from. */
function constantAttributes({ dataset, lake }: Prepared, program: Program): string[] {
  const dated = program.sources.customers.filter(
    ({ sql, columns }) => /\bvalid_from\b/i.test(sql ?? '') || 'valid_from' in columns,
  )
  const undated = program.sources.customers.filter((source) => !dated.includes(source))
  const names = new Set(undated.flatMap(({ key }) => Object.keys(lake.state.sources.get(key)?.columns ?? {})))
  return dataset.catalogue.attributes.map(({ name }) => name).filter((name) => names.has(name))
}
