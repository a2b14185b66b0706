import type { Day } from '../domain/days.ts'
import type { InitiativePlan, Program } from '../domain/program.ts'
import { buildCatalogue } from '../features/build-catalogue.ts'
import type { Catalogue, Feature } from '../features/catalogue.ts'
import { type FeatureFrame, lakeRelations, pickFrame, readFeatures } from '../features/features.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { fitterHere } from '../model/fitter.ts'
import type { GroupError } from '../model/group-forecast.ts'
import { selectRows } from '../model/matrix.ts'
import { chooseControl, countArms, sampleRatioP } from './arms.ts'
import { type Assignments, readAssignments } from './assignments.ts'
import { measureAgainstForecast } from './frozen-forecast.ts'
import { type MeasuredMetric, readMetrics } from './measured-metrics.ts'
import { type ArmPair, type Evidence, isWeaker, type MeasuredEffect, measureEffects } from './measurement.ts'
import { answerWarnings, assignmentWarnings, primaryWarnings } from './measurement-warnings.ts'
import { type Targeting, targetMetric } from './targeting.ts'
import {
  findOverlap,
  fitTreatmentPropensity,
  shareOf,
  type TreatmentPropensity,
} from './treatment-propensity.ts'

export interface InitiativeRequest {
  readonly program: Program
  readonly lake: Lake
  readonly initiative: string
  /** Nothing after this day is known. */
  readonly asOf: Day
  /** The arm to compare with; null: as planned, or to be told from the names. */
  readonly control: string | null
  /** Features that are left out, such as leaks. */
  readonly excluded: ReadonlySet<string>
  /** By task with its horizon: how far forecasts of groups were off, where there is nothing else to compare with. */
  readonly groupErrors: Readonly<Record<string, GroupError>>
  readonly seed: number
}

/** What an initiative brought, arm by arm. */
export interface InitiativeMeasurement {
  readonly assignments: Assignments
  /** Null: there is nobody to compare with. */
  readonly control: string | null
  readonly sampleRatioP: number | null
  readonly evidence: Evidence
  /** Why the evidence is what it is. */
  readonly evidenceWords: string
  readonly effects: readonly MeasuredEffect[]
  /** Whom to treat first for the first of the effects; null where nothing was measured. */
  readonly targeting: Targeting | null
  readonly warnings: readonly string[]
}

/** Everything needed to compare two arms. */
export interface ComparedArms {
  readonly pair: ArmPair
  readonly propensity: TreatmentPropensity
  readonly evidence: Evidence
  readonly words: string
  readonly warnings: readonly string[]
}

const plain: InitiativePlan = { isRandomised: null, control: null, shares: null, primary: null }

function planOf({ initiatives }: Program, initiative: string): InitiativePlan {
  return Object.hasOwn(initiatives, initiative) ? initiatives[initiative] : plain
}

/** An initiative's arms side by side, and what happened in them. */
export interface InitiativeComparison {
  readonly assignments: Assignments
  /** Null: there is nobody to compare with. */
  readonly control: string | null
  readonly sampleRatioP: number | null
  /** What was known of everybody before, and what it is made from; null with one arm. */
  readonly before: { readonly catalogue: Catalogue; readonly frame: FeatureFrame } | null
  readonly metrics: readonly MeasuredMetric[]
  readonly compared: readonly ComparedArms[]
  readonly warnings: readonly string[]
}

/** Reads who was in which arm, what was known of them before and what happened. Uses the table `spine`. */
export async function compareInitiative(
  database: Database,
  request: InitiativeRequest,
): Promise<InitiativeComparison> {
  const { program, lake, asOf, excluded, initiative, seed } = request
  const plan = planOf(program, initiative)
  const relations = lakeRelations(lake, { excluded })
  const assignments = await readAssignments(database, { ...request, relations })
  const arms = Object.keys(countArms(assignments))
  const control = chooseControl(arms, { initiative, wanted: request.control ?? plan.control })
  const sampleRatio = sampleRatioP(assignments, plan.shares)
  const warnings = assignmentWarnings(assignments, { ratio: sampleRatio, plan })
  const base = { assignments, control, sampleRatioP: sampleRatio, warnings }
  const metrics = await readMetrics(database, assignments, { ...request, relations })
  if (control === null) return { ...base, before: null, metrics, compared: [] }
  const catalogue = await buildCatalogue(database, { program, lake, asOf, excluded })
  const frame = await readBefore(database, assignments, { ...request, catalogue })
  const compared: ComparedArms[] = []
  for (const arm of arms.filter((name) => name !== control))
    compared.push(await compareArms(assignments, frame, { arm, control, plan, seed }))
  return { ...base, before: { catalogue, frame }, metrics, compared }
}

/**
 * Measures an initiative by intention to treat, everybody counted in the first arm that they were put into.
 *
 * Where chance decided, arms are compared with adjustment for what was known before; where it did not, by doubly robust
 * scores over customers like whom there are some in each arm. Uses the table `spine` of the database.
 */
export async function measureInitiative(
  database: Database,
  request: InitiativeRequest,
): Promise<InitiativeMeasurement> {
  const { program, initiative, seed } = request
  const { metrics, compared, ...comparison } = await compareInitiative(database, request)
  if (compared.length === 0) {
    const arm = comparison.assignments.arm[0]
    const effects = await measureAgainstForecast(database, { ...request, metrics, arm })
    const words =
      effects.length > 0
        ? 'there is one arm only; what happened is set against what had been forecast, the weakest comparison, since whatever else changed counts as well'
        : 'there is one arm only, nobody to compare it with, and no forecast from the week before it began'
    return { ...comparison, evidence: 'associational', evidenceWords: words, effects, targeting: null }
  }
  const effects = compared.flatMap(({ pair }) => measureEffects(metrics, pair, seed))
  const plan = planOf(program, initiative)
  const sorted = primaryFirst(effects, program, plan)
  const weakest = compared.reduce((worst, own) => (isWeaker(own.evidence, worst.evidence) ? own : worst))
  return {
    ...comparison,
    evidence: weakest.evidence,
    evidenceWords: weakest.words,
    effects: sorted,
    targeting: targetFirst(program, sorted[0], { metrics, compared, seed }),
    warnings: [
      ...comparison.warnings,
      ...compared.flatMap((own) => own.warnings),
      ...answerWarnings(effects),
      ...primaryWarnings(plan, sorted[0]),
    ],
  }
}

function targetFirst(
  program: Program,
  first: MeasuredEffect | undefined,
  { metrics, compared, seed }: Pick<InitiativeComparison, 'metrics' | 'compared'> & { seed: number },
): Targeting | null {
  const metric = metrics.find((own) => own.metric === first?.metric && own.horizonDays === first.horizonDays)
  const arm = compared.find(({ pair }) => pair.arm === first?.arm)
  return metric && arm ? targetMetric(program, metric, { pair: arm.pair, seed }) : null
}

/** What was known of everybody in the spine at the end of the day before, the day itself included as a number. */
async function readBefore(
  database: Database,
  { day }: Assignments,
  { program, lake, excluded, catalogue }: InitiativeRequest & { catalogue: Catalogue },
): Promise<FeatureFrame> {
  const relations = lakeRelations(lake, { excluded })
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
  const assignedOn: Feature = {
    name: 'assigned_on',
    kind: 'number',
    unit: 'days',
    windowDays: null,
    words: 'day of assignment',
    origin: 'assigned_on',
  }
  return {
    rows: frame.rows,
    features: [...frame.features, assignedOn],
    columns: [...frame.columns, Float64Array.from(day)],
  }
}

/** Fewest customers in either arm from which who was treated could be told if chance had not decided. */
const fewestToTell = 50
/** No customer of a drawn arm stands for more than a hundred. */
const leastChance = 0.01

/** Sets two arms side by side and judges what a difference between them would mean. */
async function compareArms(
  assignments: Pick<Assignments, 'arm' | 'cluster'>,
  frame: FeatureFrame,
  { arm, control, plan, seed }: { arm: string; control: string; plan: InitiativePlan; seed: number },
): Promise<ComparedArms> {
  const rows = Int32Array.from(assignments.arm.keys()).filter(
    (row) => assignments.arm[row] === arm || assignments.arm[row] === control,
  )
  const isTreated = Uint8Array.from(rows, (row) => (assignments.arm[row] === arm ? 1 : 0))
  const cluster = rows.map((row) => assignments.cluster[row])
  const request = { frame: pickFrame(frame, rows), isTreated, cluster, seed, fitter: fitterHere }
  const even = await fitTreatmentPropensity({ ...request, isBent: false })
  const share = shareOf(isTreated)
  const smallest = Math.min(share, 1 - share) * rows.length
  const isRandom = plan.isRandomised ?? (smallest >= fewestToTell && !even.isTelling)
  const auc = even.auc === null ? '' : ` (AUC ${even.auc.toFixed(2)})`
  if (isRandom) {
    const chance = even.chance.map((own) =>
      even.isTelling ? Math.min(1 - leastChance, Math.max(leastChance, own)) : share,
    )
    const propensity = { ...even, chance }
    const comparison = { features: even.features, isTreated, cluster, propensity: propensity.chance }
    return {
      ...{ pair: { arm, members: rows, comparison }, propensity, evidence: 'experiment' },
      words: plan.isRandomised
        ? 'the program file says that chance decided who came into which arm'
        : `who came into which arm cannot be told from anything known before${auc}, as where chance decides`,
      warnings: even.isTelling
        ? [`${arm} can be told from ${control} by what was known before${auc}: look at how it was drawn.`]
        : [],
    }
  }
  const reason =
    plan.isRandomised === false
      ? 'the program file says that chance did not decide'
      : even.isTelling
        ? `who came into which arm can be told from what was known before${auc}`
        : `arms of fewer than ${fewestToTell} customers are too small to tell whether chance decided`
  return adjustedArms({ ...request, rows, arm, reason })
}

/** Arms that were not drawn: only customers like whom there are some in each are compared. */
async function adjustedArms({
  rows,
  arm,
  reason,
  ...request
}: Omit<Parameters<typeof fitTreatmentPropensity>[0], 'isBent'> & {
  rows: Int32Array
  arm: string
  reason: string
}): Promise<ComparedArms> {
  const propensity = await fitTreatmentPropensity({ ...request, isBent: true })
  const kept = findOverlap(propensity.chance, shareOf(request.isTreated))
  const left = 1 - kept.length / rows.length
  const comparison = {
    features: selectRows(propensity.features, kept),
    isTreated: Uint8Array.from(kept, (row) => request.isTreated[row]),
    cluster: kept.map((row) => request.cluster[row]),
    propensity: Float64Array.from(kept, (row) => propensity.chance[row]),
  }
  const isThin = left > 0.5
  return {
    pair: { arm, members: kept.map((row) => rows[row]), comparison },
    propensity,
    evidence: isThin ? 'associational' : 'adjusted',
    words: isThin
      ? `${reason}, and for more than half of the customers nobody like them is in the other arm`
      : `${reason}; that is adjusted for`,
    warnings:
      left > 0.1
        ? [
            `${Math.round(100 * left)}% of the customers of ${arm} and its control have nobody like them in the other arm and are left out.`,
          ]
        : [],
  }
}

/** The declared result first, else the first outcome at the shortest horizon. */
function primaryFirst(
  effects: readonly MeasuredEffect[],
  program: Program,
  plan: InitiativePlan,
): MeasuredEffect[] {
  const metric = plan.primary?.metric ?? program.outcomes[0]?.name ?? effects[0]?.metric
  const horizon = plan.primary?.horizonDays ?? null
  const first = effects.findIndex(
    (own) => own.metric === metric && (horizon === null || own.horizonDays === horizon),
  )
  if (first < 0) return [...effects]
  return [effects[first], ...effects.slice(0, first), ...effects.slice(first + 1)]
}
