import type { DataFrame } from 'danfojs-node'
import { dayOfEpoch, epochDay } from '../src/domain/days.ts'
import { usageError } from '../src/domain/errors.ts'
import type { Program } from '../src/domain/program.ts'
import { pickFrame } from '../src/features/features.ts'
import type { Card } from './card.ts'
import type { Dataset } from './dataset.ts'
import { type Labelled, labelBlock, seenWithin } from './labelled.ts'
import type { Prepared } from './prepare.ts'
import { wholeBlock } from './splits.ts'
import type { TaskPlan } from './tasks.ts'

/** Name → one value a row. Numbers that are missing are NaN, words that are missing are null. */
type Columns = ReadonlyMap<string, readonly (number | string | null)[]>

/**
 * Loads danfo.js, the data frames of JavaScript, when they are first asked for: they are a development dependency
 * and bring a TensorFlow.js of their own, which shares its state with any other in the same process. So don't start
 * a predictor's backend beside them.
 */
export async function loadDanfo(): Promise<typeof import('danfojs-node')> {
  try {
    return await import('danfojs-node')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw usageError(
      'no-danfo',
      'Data frames need the package danfojs-node, which is installed for development only: run npm ci in a checkout.',
    )
  }
}

/**
 * The table that a version would learn from: every row with a label, in the order of the dataset.
 *
 * **Columns** `customer` (a number that stands for one), `cutoff` (its day; the features know nothing after it), the
 * features by name, then the labels: `<outcome>_<horizon>` as it is predicted (1, 0, NaN where it is not known) and
 * `nps`, the answer given the day after, NaN where there is none; also those of too few cases to be learned. All in
 * memory, several times over: bound the rows with `maxRows` of `prepare`, which then draws customers.
 */
export async function trainingTable(program: Program, prepared: Prepared): Promise<DataFrame> {
  const { dataset, asOf } = prepared
  const block = wholeBlock(dataset, epochDay(asOf))
  const labelled = labelBlock(dataset, block, {
    tasks: allTasks(program, dataset),
    horizonsDays: program.horizonsDays,
  })
  if (labelled.rows.length === 0)
    throw usageError('no-labels', `No row of ${program.name} has a label that is known by ${asOf}.`)
  const { features, columns } = pickFrame(dataset.frame, labelled.rows)
  return tableOf(
    new Map<string, readonly (number | string | null)[]>([
      ['customer', Array.from(labelled.customer)],
      ['cutoff', Array.from(labelled.rows, (row) => dayOfEpoch(dataset.cutoff[row]))],
      ...features.map(
        ({ name }, index) => [name, Array.from<number | string | null>(columns[index])] as const,
      ),
      ...labelColumns(program, dataset, labelled),
    ]),
  )
}

/** Names of the columns of {@link trainingTable} that tell what happened afterwards. */
export function labelNames(program: Program, dataset: Dataset): string[] {
  const outcomes = dataset.outcomes.flatMap(({ outcome }) =>
    program.horizonsDays.map((days) => `${outcome.name}_${days}`),
  )
  return [...outcomes, ...(dataset.answers ? ['nps'] : [])]
}

function allTasks({ horizonsDays }: Program, dataset: Dataset): TaskPlan {
  const outcomes = dataset.outcomes.map(({ outcome }, index) => ({
    outcome,
    index,
    intervals: horizonsDays.length,
  }))
  return { outcomes, hasAnswers: dataset.answers !== null, skipped: {} }
}

function labelColumns(program: Program, dataset: Dataset, labelled: Labelled): [string, number[]][] {
  const places = Array.from(labelled.rows.keys())
  const columns = dataset.outcomes.flatMap(({ outcome }, task) => {
    return program.horizonsDays.map((_, horizon) =>
      places.map((place) => {
        const seen = seenWithin(labelled.outcomes[task], place, horizon)
        if (seen === null) return Number.NaN
        return seen === (outcome.kind === 'absence') ? 0 : 1
      }),
    )
  })
  const answers = places.map(() => Number.NaN)
  labelled.answers?.row.forEach((place, i) => {
    if (labelled.answers?.leadDays[i] === 0) answers[place] = labelled.answers.score[i]
  })
  const values = [...columns, answers]
  return labelNames(program, dataset).map((name, index) => [name, values[index]])
}

/**
 * How a version did on the block that judged it: a row for each task, horizon and predictor (`model` and the three
 * baselines), a column for each metric of the card, NaN where a metric says nothing about the task. `nps` stands at
 * horizon 0.
 */
export async function evaluationTable(card: Card): Promise<DataFrame> {
  const judged = [
    ...card.outcomes.flatMap(({ name, horizons }) =>
      horizons.map(({ horizonDays, rows, metrics }) => ({ task: name, horizonDays, rows, metrics })),
    ),
    ...(card.nps ? [{ task: 'nps', horizonDays: 0, rows: card.nps.answers, metrics: card.nps.metrics }] : []),
  ]
  const rows = judged.flatMap(({ task, horizonDays, rows, metrics }) =>
    Object.entries(metrics).map(([predictor, values]) => ({ task, horizonDays, predictor, rows, values })),
  )
  const names = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))]
  return tableOf(
    new Map<string, readonly (number | string)[]>([
      ['task', rows.map(({ task }) => task)],
      ['horizon_days', rows.map(({ horizonDays }) => horizonDays)],
      ['predictor', rows.map(({ predictor }) => predictor)],
      ['rows', rows.map((row) => row.rows)],
      ...names.map(
        (name) =>
          [name, rows.map(({ values }) => ({ ...values })[name as keyof typeof values] ?? NaN)] as const,
      ),
    ]),
  )
}

/** Count, mean, spread and range of every column of numbers, a row each. Missing values do not count. */
export async function describeColumns(table: DataFrame): Promise<DataFrame> {
  const { Series } = await loadDanfo()
  const numbers = table.columns.filter((_, index) => table.dtypes[index] !== 'string')
  const described = numbers.map((name) => {
    const known = (table.column(name).values as number[]).filter((value) => !Number.isNaN(value))
    return known.length === 0
      ? statistics.map((statistic) => (statistic === 'count' ? 0 : NaN))
      : (new Series(known).describe().values as number[])
  })
  return tableOf(
    new Map<string, readonly (number | string)[]>([
      ['column', numbers],
      ...statistics.map((statistic, at) => [statistic, described.map((values) => values[at])] as const),
    ]),
  )
}

/** What danfo.js describes a series by, in its order. */
const statistics = ['count', 'mean', 'std', 'min', 'median', 'max', 'variance']

/** Mean of each label by the value of a column, and over how many rows it is known. */
export async function meansBy(
  table: DataFrame,
  column: string,
  labels: readonly string[],
): Promise<DataFrame> {
  if (!table.columns.includes(column)) {
    throw usageError(
      'column',
      `--by is ${column}; the training table has the columns ${table.columns.join(', ')}.`,
    )
  }
  const { toJSON } = await loadDanfo()
  const groups = labels.flatMap((label) => {
    const known = (table.column(label).values as number[]).map((value) => !Number.isNaN(value))
    if (!known.includes(true)) return []
    const grouped = table
      .query(known)
      .groupby([column])
      .agg({ [label]: ['mean', 'count'] })
    return (toJSON(grouped) as Record<string, number | string | null>[]).map((group) => ({ label, group }))
  })
  return tableOf(
    new Map<string, readonly (number | string | null)[]>([
      [column, groups.map(({ group }) => group[column])],
      ['label', groups.map(({ label }) => label)],
      ['mean', groups.map(({ label, group }) => group[`${label}_mean`])],
      ['rows', groups.map(({ label, group }) => group[`${label}_count`])],
    ]),
  )
}

/** CSV in which words are quoted where they have to be: danfo.js itself quotes nothing. */
export async function csvOf(table: DataFrame): Promise<string> {
  const { toCSV } = await loadDanfo()
  const quoted = (value: unknown) =>
    typeof value === 'string' && /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  const columns = table.columns.map(
    (name) => [String(quoted(name)), table.column(name).values.map(quoted)] as const,
  )
  return toCSV(await tableOf(new Map(columns as [string, number[]][]))) as unknown as string
}

/** Kinds are said, not guessed: danfo.js guesses from the first values, and a column may begin with gaps. */
async function tableOf(columns: Columns): Promise<DataFrame> {
  const danfo = await loadDanfo()
  const all = [...columns.values()]
  const rows = Array.from({ length: all[0]?.length ?? 0 }, (_, row) => all.map((values) => values[row]))
  const dtypes = all.map((values) =>
    values.every((value) => typeof value === 'number') ? 'float32' : 'string',
  )
  return new danfo.DataFrame(rows, { columns: [...columns.keys()], dtypes })
}
