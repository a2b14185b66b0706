import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { FeatureFrame } from '../features/features.ts'
import { lakeRelations } from '../features/relations.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import type { OutcomePredictions } from '../model/predictor.ts'
import { type ComparedInitiatives, compareInitiatives } from './compared-initiatives.ts'
import { readCompared } from './initiative-effects.ts'
import { forecastScope } from './initiative-evaluation.ts'
import { carryRisk, type Risk } from './order-check.ts'
import { offeredTo } from './recent-assignments.ts'
import { findScope, type Scope } from './scope.ts'
import { type JudgedArm, judgeArm, type LeftOut, type Treatment, type TreatmentRequest } from './treatment.ts'
import { chooseGain, type GainKind, type PopulationForecast, primaryOutcome } from './treatment-gain.ts'

/** A population and what may be done to it. */
export interface Treatments {
  readonly day: PredictionDay
  readonly scope: Scope
  readonly kind: GainKind
  readonly risk: Risk
  /** Chance of the risk's outcome as it is; null: not foretold. [customers] */
  readonly risks: Float64Array | null
  readonly treatments: readonly Treatment[]
  readonly leftOut: readonly LeftOut[]
  /** Customers whose yearly value is not known: nothing is gained by keeping them. */
  readonly withoutValue: number
}

/**
 * Finds a population, what every known initiative would bring by treating each of its customers, and what that costs.
 *
 * **Time** sees only what is known on the day. **Errors** `no-predictions`, `scenario` with what is allowed,
 * `empty-population`; of initiatives that were named `no-comparison`, `which-control`, `no-cost`.
 */
export async function findTreatments(database: Database, request: TreatmentRequest): Promise<Treatments> {
  const { asked, population, seed } = request
  const day = findPredictionDay(asked.lake, request.date)
  const compared = await compareInitiatives(database, { ...request, date: asOfDay(request, day.date) })
  const relations = lakeRelations(asked.lake, { excluded: new Set(asked.predictor.parts.excluded) })
  const scope = await findScope(database, { asked, relations, day, population, most: null, seed })
  const { program } = asked
  const forecast = { program, ...(await forecastScope(database, { asked, relations }, [])) }
  const risk = riskOf(program)
  const kind = chooseGain(forecast, {
    wanted: request.outcome,
    metrics: compared.known.flatMap(({ comparison }) => comparison.metrics),
  })
  const setting = { ...request, relations, day, forecast, kind, risk }
  const arms = await judgeArms(database, compared, setting)
  const judged = arms.map(({ result }) => result)
  const foretold = forecast.predictions.outcomes.find(({ model }) => model.name === risk.outcome)
  const unknown = forecast.money.annualValue.filter((value) => Number.isNaN(value)).length
  return {
    ...{ day, scope, kind, risk },
    risks: foretold ? atLongest(foretold) : (arms.find(({ risks }) => risks !== null)?.risks ?? null),
    treatments: judged.filter((own): own is Treatment => 'gain' in own),
    leftOut: [...compared.leftOut, ...judged.filter((own): own is LeftOut => 'reason' in own)],
    withoutValue: kind.kind === 'value' && program.value.annualValue !== null ? unknown : 0,
  }
}

/** **Errors** `scenario` where it is before the day that is asked about. */
function asOfDay({ asOf }: TreatmentRequest, date: Day): Day {
  if (asOf === null || asOf >= date) return asOf ?? date
  throw usageError(
    'scenario',
    `The scenario cannot be used:\n- budget.as_of: found ${asOf}; allowed: ${date}, the day that is asked about, or a later one.`,
  )
}

type Setting = TreatmentRequest & {
  readonly relations: ReturnType<typeof lakeRelations>
  readonly day: PredictionDay
  readonly forecast: PopulationForecast
  readonly kind: GainKind
  readonly risk: Risk
}

/** All treated arms of all initiatives, with what is foretold of the untreated where no version foretells it. */
async function judgeArms(
  database: Database,
  { known }: ComparedInitiatives,
  setting: Setting,
): Promise<(JudgedArm & { readonly risks: Float64Array | null })[]> {
  const { asked, relations, day, risk, seed, forecast } = setting
  const isForetold = forecast.predictions.outcomes.some(({ model }) => model.name === risk.outcome)
  const arms: (JudgedArm & { readonly risks: Float64Array | null })[] = []
  // What is known of customers on a day is the same whichever initiative asks.
  let population: FeatureFrame | null = null
  for (const { initiative, comparison } of known) {
    population ??= await readCompared(database, comparison, { asked, relations })
    const isOffered = await offeredTo(database, { asked, relations, initiative, date: day.date })
    for (const arm of comparison.compared) {
      const judged = judgeArm({ ...setting, initiative, comparison, arm, population, isOffered })
      const isNeeded = !isForetold && arms.every(({ risks }) => risks === null)
      const risks = isNeeded ? carryRisk({ comparison, arm, risk, seed }, judged.features) : null
      arms.push({ ...judged, risks })
    }
  }
  return arms
}

/** Churn where the program has it, else little of the outcome that initiatives are judged by. */
function riskOf(program: Program): Risk {
  const name = program.outcomes.some((own) => own.name === 'churn') ? 'churn' : primaryOutcome(program)
  const outcome = program.outcomes.find((own) => own.name === name)
  return { outcome: name ?? 'churn', isDesired: outcome?.isDesired ?? false }
}

/** Chance of each customer within the longest horizon. */
function atLongest({ model: { horizonsDays }, probabilities }: OutcomePredictions): Float64Array {
  const size = horizonsDays.length
  return Float64Array.from(
    { length: probabilities.length / size },
    (_, row) => probabilities[(row + 1) * size - 1],
  )
}
