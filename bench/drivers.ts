import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { expectedAnswer } from '../src/domain/prediction.ts'
import type { Program } from '../src/domain/program.ts'
import { type FeatureFrame, lakeRelations, makeSpine, readFeatures } from '../src/features/features.ts'
import { selectAtRisk, selectEverybody } from '../src/features/population.ts'
import { Database, quoteText } from '../src/lake/database.ts'
import { openLake } from '../src/lake/lake.ts'
import { readProgram } from '../src/lake/program-file.ts'
import { behaviourOf, DriverReader } from '../src/model/drivers.ts'
import { explainExactly } from '../src/model/exact-drivers.ts'
import { clampProbability, logit } from '../src/model/logit.ts'
import { distributionOf, type Predictor } from '../src/model/predictor.ts'
import { loadChampion } from '../src/model/stored-predictor.ts'
import { pickFrame } from '../training/labelled.ts'
import { loyalcast } from './commands.ts'
import { causesSql } from './true-causes.ts'

const lastDay = '2026-10-31'
const shown = 3
const othersCompared = 48

/**
 * `npm run bench:drivers [-- --customers N --explained N]`: how often the drivers of a simulated company's forecasts
 * name what really moved a customer, and how often the additive ones agree with the exact ones on the first.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      customers: { type: 'string', default: '5000' },
      explained: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      'max-rows': { type: 'string', default: '40000' },
    },
  })
  const work = await mkdtemp(join(tmpdir(), 'loyalcast-drivers-'))
  try {
    const company = join(work, 'company')
    const path = join(company, 'program.yaml')
    const folders = { data: join(work, 'data'), models: join(work, 'models') }
    const common = ['--data', folders.data, '--models', folders.models, '--seed', values.seed]
    await loyalcast(
      ['simulate', company, '--customers', values.customers, '--last-day', lastDay, ...common],
      {},
    )
    await loyalcast(['train', path, '--as-of', lastDay, '--max-rows', values['max-rows'], ...common], {})
    const program = await readProgram(path, {})
    const { predictor } = await loadChampion(folders.models, program)
    const day = await readDay(program, { predictor, company, dataFolder: folders.data })
    judge(predictor, day, Number(values.explained))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

interface Day {
  readonly frame: FeatureFrame
  /** Behaviours that really moved each customer most, any of which will do; empty: none stands out. [rows] */
  readonly causes: readonly (readonly string[])[]
}

async function readDay(
  program: Program,
  { predictor, company, dataFolder }: { predictor: Predictor; company: string; dataFolder: string },
): Promise<Day> {
  const lake = await openLake(dataFolder, program)
  const database = await Database.open({ spillFolder: join(dataFolder, 'spill'), timezone: program.timezone })
  try {
    const relations = lakeRelations(lake, { excluded: new Set(predictor.parts.excluded) })
    const candidates = `select customer_id, date ${quoteText(lastDay)} as cutoff from (${selectEverybody(relations)})`
    await makeSpine(database, 'spine', selectAtRisk({ program, relations, candidates }))
    const { catalogue } = predictor
    const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
    const found = await database.rows<{ causes: string | null }>(causesSql(company, lastDay))
    return { frame, causes: found.map(({ causes }) => causes?.split(' ') ?? []) }
  } finally {
    database.close()
  }
}

/** Behaviours of each task by the additive drivers, strongest first. */
function additiveDrivers(predictor: Predictor, frame: FeatureFrame): Map<string, string[][]> {
  const { views, outcomes, answers } = predictor.predict(frame, [0])
  const reader = new DriverReader(predictor.parts.encoder, frame, views.of('piecewise'))
  const features = new Map(frame.features.map((feature) => [feature.name, feature]))
  const nameOf = (encoding: number) => {
    const { name } = predictor.parts.encoder.encodings[encoding]
    const feature = features.get(name)
    return feature ? behaviourOf(feature) : name
  }
  const tasks = new Map<string, string[][]>()
  const rows = Array.from({ length: frame.rows }, (_, row) => row)
  for (const { model, probabilities } of outcomes) {
    const { surrogate, horizonsDays } = model
    if (!surrogate) continue
    const explained = rows.map((row) =>
      reader.explain(
        surrogate,
        row,
        logit(clampProbability(probabilities[(row + 1) * horizonsDays.length - 1])),
      ),
    )
    tasks.set(
      model.name,
      explained.map(({ terms }) => terms.map(({ encoding }) => nameOf(encoding))),
    )
    print(`${model.name}: share of the forecasts' variance that drivers explain`, surrogate.explained)
  }
  const surrogate = answers?.model.surrogate
  if (answers && surrogate) {
    const explained = rows.map((row) =>
      reader.explain(surrogate, row, expectedAnswer(distributionOf(answers.distributions[0], row))),
    )
    tasks.set(
      'nps',
      explained.map(({ terms }) => terms.map(({ encoding }) => nameOf(encoding))),
    )
    print("nps: share of the forecasts' variance that drivers explain", surrogate.explained)
  }
  return tasks
}

function judge(predictor: Predictor, { frame, causes }: Day, explained: number): void {
  const additive = additiveDrivers(predictor, frame)
  const moved = causes.flatMap((own, row) => (own.length > 0 ? [row] : []))
  const isNamed = (row: number, tasks: readonly string[]) =>
    tasks.some((task) =>
      additive
        .get(task)
        ?.[row].slice(0, shown)
        .some((name) => causes[row].includes(name)),
    )
  print(`customers whom something really moved, of ${frame.rows}`, moved.length)
  for (const tasks of [['nps'], ['churn'], ['nps', 'churn']]) {
    const named = moved.filter((row) => isNamed(row, tasks)).length
    print(`its behaviour among the first ${shown} of ${tasks.join(' or ')}`, named / moved.length)
  }
  const step = Math.max(1, Math.floor(frame.rows / explained))
  const pick = (rows: readonly number[]) => pickFrame(frame, Int32Array.from(rows))
  const others = pick(Array.from({ length: othersCompared }, (_, other) => (other * 97 + 13) % frame.rows))
  const agreed = new Map<string, number[]>()
  for (let row = 0; row < frame.rows; row += step) {
    for (const { task, effects } of explainExactly(predictor, { customer: pick([row]), others, seed: row })) {
      const isSame = additive.get(task)?.[row][0] === effects[0].behaviour
      agreed.set(task, [...(agreed.get(task) ?? []), isSame ? 1 : 0])
    }
  }
  for (const [task, same] of agreed)
    print(
      `${task}: first additive driver is the first exact one`,
      same.reduce((a, b) => a + b, 0) / same.length,
    )
}

function print(what: string, value: number): void {
  process.stdout.write(`${what.padEnd(70)} ${Number.isInteger(value) ? value : value.toFixed(3)}\n`)
}
