import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { countArms } from '../impact/arms.ts'
import { type InitiativeMeasurement, measureInitiative } from '../impact/initiative.ts'
import type { Evidence, MeasuredEffect } from '../impact/measurement.ts'
import { stateEffect } from '../impact/statement.ts'
import { lastDayWithData } from '../lake/coverage.ts'
import { openLake } from '../lake/lake.ts'
import { withScratchDatabase } from '../lake/scratch-database.ts'
import { ModelCards } from '../model/model-cards.ts'
import { Registry } from '../model/registry.ts'
import { readExcluded } from '../model/stored-predictor.ts'

export interface MeasureOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly initiative: string
  /** Nothing after it is known. Default: the last day with data. */
  readonly asOf?: Day
  /** The arm to compare with. Default: as planned, or told from the names. */
  readonly control?: string
  readonly seed: number
  readonly reporter: Reporter
}

/** One measured metric, as `--json` prints it. */
export interface ResultReport {
  readonly metric: string
  readonly horizon_days: number
  readonly arm: string
  readonly unit: MeasuredEffect['unit']
  readonly customers: number
  readonly control: number
  readonly treated: number
  readonly effect: number
  readonly ci95: readonly [number, number]
  /** Of the arms as they are, without adjustment. */
  readonly plain_difference: number
  readonly relative: number | null
  readonly relative_ci95: readonly [number, number] | null
  readonly detected: boolean
  readonly smallest_detectable: number
  readonly claimed_value: number | null
  readonly value_ci95: readonly [number, number] | null
  readonly response_rate: { readonly control: number; readonly treated: number } | null
}

/** An order of treating: its area over treating at random, and its gains by tenths of customers treated. */
export interface RankingReport {
  readonly qini: number
  readonly ci95: readonly [number, number]
  readonly gains: readonly number[]
}

/** What an initiative brought, as `--json` prints it. Names are a contract: see the README. */
export interface MeasureReport {
  readonly program: string
  readonly initiative: string
  readonly as_of: Day
  readonly evidence: Evidence
  readonly evidence_reason: string
  readonly method: string
  readonly control: string | null
  readonly arms: Readonly<Record<string, number>>
  readonly sample_ratio_p: number | null
  readonly warnings: readonly string[]
  readonly results: readonly ResultReport[]
  /** Whom to treat first, for the first result; gains are per customer, and more is better. */
  readonly targeting: {
    readonly everybody: number
    readonly by_effect: RankingReport
    readonly by_risk: RankingReport
  } | null
  /** Of everybody assigned, in program currency; null where no row says. */
  readonly cost: number | null
  readonly currency: string
  readonly statement: string
}

const methods: Readonly<Record<Evidence, string>> = {
  experiment: 'difference of the arms with regression adjustment, cross-fitted',
  adjusted: 'doubly robust (AIPW), cross-fitted, where both arms have customers alike',
  associational: 'difference of the arms as far as it could be adjusted',
}

/** Measures what an initiative brought, from the lake as it is. */
export async function measure(program: Program, options: MeasureOptions): Promise<MeasureReport> {
  const lake = await openLake(options.dataFolder, program)
  const asOf = options.asOf ?? lastDayWithData(program, lake.state)
  if (asOf === null)
    throw usageError('no-data', `The lake of ${program.name} is empty. Run loyalcast ingest first.`)
  const registry = new Registry(options.modelsFolder, program.name)
  const champion = await registry.champion()
  const excluded = new Set(champion === null ? [] : await readExcluded(registry.folderOf(champion)))
  const card = champion === null ? null : await new ModelCards(registry).read(champion)
  options.reporter.progress({ phase: 'measure', done: 0, total: 1 })
  const { initiative, seed, control = null } = options
  const { groupErrors = {} } = card ?? {}
  const request = { program, lake, initiative, asOf, control, excluded, groupErrors, seed }
  const measured = await withScratchDatabase(lake.folder, program, (database) =>
    measureInitiative(database, request),
  )
  options.reporter.progress({ phase: 'measure', done: 1, total: 1 })
  return reportOf(program, { ...measured, initiative: options.initiative, asOf })
}

function reportOf(
  program: Program,
  measured: InitiativeMeasurement & { initiative: string; asOf: Day },
): MeasureReport {
  const { initiative, evidence, effects, assignments } = measured
  const arms = countArms(assignments)
  const primary = effects[0] ?? null
  return {
    program: program.name,
    initiative,
    as_of: measured.asOf,
    evidence,
    evidence_reason: measured.evidenceWords,
    method: methodOf(measured),
    control: measured.control,
    arms,
    sample_ratio_p: measured.sampleRatioP,
    warnings: measured.warnings,
    results: effects.map(resultOf),
    targeting: measured.targeting && {
      everybody: measured.targeting.everybody,
      by_effect: measured.targeting.byEffect,
      by_risk: measured.targeting.byRisk,
    },
    cost: assignments.cost,
    currency: program.currency,
    statement: stateEffect({
      ...{ initiative, evidence, primary, currency: program.currency },
      hasSeveralArms: Object.keys(arms).length > 2,
    }),
  }
}

function methodOf({ control, evidence, effects }: InitiativeMeasurement): string {
  if (control !== null) return methods[evidence]
  return effects.length > 0 ? 'actual against the forecast made before' : 'none'
}

function resultOf(result: MeasuredEffect): ResultReport {
  const { effect, value, isDetected } = result
  return {
    metric: result.metric,
    horizon_days: result.horizonDays,
    arm: result.arm,
    unit: result.unit,
    customers: result.customers,
    control: effect.control,
    treated: effect.treated,
    effect: effect.effect,
    ci95: effect.ci95,
    plain_difference: result.plainDifference,
    relative: effect.relative,
    relative_ci95: effect.relativeCi95,
    detected: isDetected,
    smallest_detectable: effect.smallestDetectable,
    claimed_value: isDetected && value ? value.total : null,
    value_ci95: value?.ci95 ?? null,
    response_rate: result.responseRate,
  }
}
