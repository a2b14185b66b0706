import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { epochDay } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { silentReporter } from '../src/domain/progress.ts'
import { absolutePaths } from '../src/domain/source-paths.ts'
import { encode } from '../src/features/encoder.ts'
import {
  type FeatureFrame,
  type FeatureRequest,
  lakeRelations,
  makeDaySpine,
  pickFrame,
  readFeatures,
} from '../src/features/features.ts'
import { fitEncoder } from '../src/features/fit-encoder.ts'
import { Database, quoteText } from '../src/lake/database.ts'
import { openLake } from '../src/lake/lake.ts'
import { cumulativeFromHazards } from '../src/model/blend.ts'
import { fitLogistic } from '../src/model/logistic-member.ts'
import { answerCount } from '../src/model/member.ts'
import type { Predictor } from '../src/model/predictor.ts'
import { loadChampion } from '../src/model/stored-predictor.ts'
import { baseAnswers, baseHazards } from '../training/base-rates.ts'
import {
  answersByGroup,
  hazardsByGroup,
  lastKnownAnswer,
  lastKnownOutcome,
  spreadGroups,
} from '../training/baselines.ts'
import { labelBlock } from '../training/labelled.ts'
import { learningSet } from '../training/members.ts'
import { prepare } from '../training/prepare.ts'
import { wholeBlock } from '../training/splits.ts'

export const baselines = ['base rate', 'last known', 'logistic'] as const
export type Baseline = (typeof baselines)[number]

/** What the three baselines, fitted on the labels known by as-of, say of the customers at risk on the scored day. */
export interface DayBaselines {
  readonly customers: readonly string[]
  /** Probability by column of the export, such as `churn_30`: [customers]. Empty without an outcome. */
  readonly outcome: Readonly<Record<Baseline, Readonly<Record<string, Float64Array>>>>
  /** Distribution of the answer, [customers × 11]. Empty without answers. */
  readonly answers: Readonly<Record<Baseline, Float64Array>>
  /** The same from the version that serves: exports hold its classes, not the whole distribution. */
  readonly served: Float64Array
}

/** Everybody at risk at the end of a day, as the version that serves sees them. */
export interface ServedDay {
  readonly predictor: Predictor
  readonly frame: FeatureFrame
  /** [rows] */
  readonly customers: readonly string[]
}

export async function readServedDay(
  program: Program,
  { dataFolder, modelsFolder, date }: { dataFolder: string; modelsFolder: string; date: string },
): Promise<ServedDay> {
  const { predictor } = await loadChampion(modelsFolder, program)
  const lake = await openLake(dataFolder, program)
  const relations = lakeRelations(lake, { excluded: new Set(predictor.parts.excluded) })
  const { catalogue } = predictor
  const day = await readDay(program, { dataFolder, date, lake, catalogue, relations })
  return { ...day, predictor }
}

async function readDay(
  program: Program,
  inputs: { dataFolder: string; date: string } & Pick<FeatureRequest, 'lake' | 'catalogue' | 'relations'>,
): Promise<Omit<ServedDay, 'predictor'>> {
  const { timezone } = program
  const database = await Database.open({ spillFolder: join(inputs.dataFolder, 'spill-bench'), timezone })
  try {
    const spine = 'spine'
    await makeDaySpine(database, spine, { ...inputs, program })
    const frame = await readFeatures(database, { ...inputs, program, spine })
    const found = await database.columns(`select customer_id from ${spine} order by row`)
    return { frame, customers: found.customer_id as string[] }
  } finally {
    database.close()
  }
}

/** Fits the baselines on what `train --as-of` learns from and applies them to the scored day. */
export async function baselinesOfDay(
  program: Program,
  options: { dataFolder: string; modelsFolder: string; asOf: string; date: string },
): Promise<DayBaselines> {
  const prepared = await prepare(program, { ...options, maxRows: 200_000, reporter: silentReporter })
  const { dataset, tasks, lake } = prepared
  const { horizonsDays } = program
  const block = wholeBlock(dataset, epochDay(options.asOf))
  const labelled = labelBlock(dataset, block, { tasks, horizonsDays })
  const { catalogue } = dataset
  const { frame, customers } = await readDay(program, {
    ...options,
    lake,
    catalogue,
    relations: lakeRelations(lake),
  })
  const day = await readServedDay(program, options)
  const served = day.predictor.predict(day.frame, [0]).answers?.distributions[0] ?? new Float64Array(0)

  const encoder = fitEncoder(dataset.frame, labelled.rows, { targets: [], settings: { mostBins: 0 } })
  const picked = pickFrame(dataset.frame, labelled.rows)
  const logistic = fitLogistic(learningSet(encoder, labelled, { picked, view: 'plain' }), { seed: 1 })
  const said = logistic.predict(encode(encoder, frame, 'plain'), [new Float32Array(frame.rows)])
  const work = { frame, labelled, dataset: dataset.frame, said, program }
  return { customers, outcome: outcomeBaselines(work), answers: answerBaselines(work), served }
}

interface Work {
  readonly program: Program
  /** Features of the scored day, and of the training table. */
  readonly frame: FeatureFrame
  readonly dataset: FeatureFrame
  readonly labelled: ReturnType<typeof labelBlock>
  readonly said: ReturnType<ReturnType<typeof fitLogistic>['predict']>
}

function outcomeBaselines(work: Work): DayBaselines['outcome'] {
  const of = work.labelled.outcomes.map((_, task) => taskBaselines(work, task))
  const merged = (who: Baseline) => Object.assign({}, ...of.map((said) => said[who]))
  return {
    'base rate': merged('base rate'),
    'last known': merged('last known'),
    logistic: merged('logistic'),
  }
}

function taskBaselines(
  { program, frame, dataset, labelled, said }: Work,
  task: number,
): DayBaselines['outcome'] {
  const labels = labelled.outcomes[task]
  const outcome = program.outcomes.find(({ name }) => name === labels.name) as Program['outcomes'][number]
  const columns = (hazards: ArrayLike<number>) => {
    const happened = cumulativeFromHazards(hazards, labels.intervals)
    const at = (j: number) =>
      Float64Array.from({ length: frame.rows }, (_, row) => {
        const p = happened[row * labels.intervals + j]
        return outcome.kind === 'absence' ? 1 - p : p
      })
    const horizons = program.horizonsDays.slice(0, labels.intervals)
    return Object.fromEntries(horizons.map((days, j) => [`${labels.name}_${days}`, at(j)]))
  }
  const known = (of: FeatureFrame) => lastKnownOutcome(of, outcome.eventTypes, program.horizonsDays[0])
  const learnedGroups = known(dataset)
  const groups = hazardsByGroup(
    labels,
    Uint8Array.from(labelled.rows, (row) => learnedGroups[row]),
  )
  const base = baseHazards(labels)
  return {
    'base rate': columns(
      Float64Array.from({ length: frame.rows * base.length }, (_, at) => base[at % base.length]),
    ),
    'last known': columns(spreadGroups(groups, known(frame))),
    logistic: columns(said.hazards[task]),
  }
}

function answerBaselines({ frame, dataset, labelled, said }: Work): DayBaselines['answers'] {
  const none = new Float64Array(0)
  const { answers } = labelled
  if (answers === null) return { 'base rate': none, 'last known': none, logistic: none }
  const base = baseAnswers(answers)
  const learned = lastKnownAnswer(dataset)
  const groups = answersByGroup(
    answers,
    Uint8Array.from(answers.row, (place) => learned[labelled.rows[place]]),
  )
  return {
    'base rate': Float64Array.from({ length: frame.rows * answerCount }, (_, at) => base[at % answerCount]),
    'last known': spreadGroups(groups, lastKnownAnswer(frame)),
    logistic: Float64Array.from(said.answers[0]),
  }
}

/** What really happened to the scored customers: the example's own `truth.sql`. */
export async function readTruth(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, number | string>[]> {
  const text = await readFile(join(folder, 'truth.sql'), 'utf8')
  const filled = text.replaceAll(
    /\$\{(\w+):-([^}]*)\}/g,
    (_, name: string, fallback: string) => environment[name] ?? fallback,
  )
  const database = await Database.open({
    spillFolder: join(tmpdir(), 'loyalcast-bench-spill'),
    timezone: 'UTC',
  })
  try {
    return await database.rows<Record<string, number | string>>(absolutePaths(filled, folder).sql)
  } finally {
    database.close()
  }
}

/** The rows of an exported Parquet file. */
export async function readExport(
  path: string,
  spillFolder: string,
): Promise<Record<string, number | string | null>[]> {
  const database = await Database.open({ spillFolder, timezone: 'UTC' })
  try {
    return await database.rows<Record<string, number | string | null>>(
      `select * from read_parquet(${quoteText(path)})`,
    )
  } finally {
    database.close()
  }
}
