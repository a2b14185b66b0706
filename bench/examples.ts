import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readProgram } from '../src/lake/program-file.ts'
import { checkout, loyalcast } from './commands.ts'
import { type Judgement, judgeAnswers, judgeOutcome, meanOf } from './judge.ts'
import { baselinesOfDay, readExport, readTruth } from './scored-day.ts'

interface Example {
  readonly name: string
  readonly asOf: string
  readonly date: string
  /** Environments of the repetitions: folds or seeds. */
  readonly runs: readonly Readonly<Record<string, string>>[]
  readonly kind: 'outcome' | 'answers'
  /** What is to be reached. */
  readonly target: string
}

const fiveTimes = [0, 1, 2, 3, 4]

const examples: readonly Example[] = [
  {
    name: 'online_retail',
    asOf: '2011-06-11',
    date: '2011-09-09',
    runs: [{}],
    kind: 'outcome',
    target: 'AUC .733/.741/.733, log loss .514/.592/.595, within .01',
  },
  {
    name: 'oulad_2013',
    asOf: '2013-09-30',
    date: '2013-11-30',
    runs: [{}],
    kind: 'outcome',
    target: 'AUC .719/.655/.649, log loss .102/.207/.265, within .01',
  },
  {
    name: 'sfo_2017',
    asOf: '2017-05-31',
    date: '2017-06-01',
    runs: fiveTimes.map((seed) => ({ SFO_SEED: String(seed) })),
    kind: 'answers',
    target: 'MAE at most 1.00',
  },
  {
    name: 'telco',
    asOf: '2024-02-29',
    date: '2024-03-01',
    runs: fiveTimes.map((fold) => ({ TELCO_FOLD: String(fold) })),
    kind: 'outcome',
    target: 'AUC at least .845, log loss at most .415',
  },
  {
    name: 'telco_extended',
    asOf: '2024-02-29',
    date: '2024-03-01',
    runs: fiveTimes.map((fold) => ({ TELCO_FOLD: String(fold) })),
    kind: 'outcome',
    target: 'as good as logistic regression',
  },
  {
    name: 'iranian_churn',
    asOf: '2024-03-31',
    date: '2024-04-01',
    runs: fiveTimes.map((fold) => ({ IRANIAN_FOLD: String(fold) })),
    kind: 'outcome',
    target: 'AUC at least .98, log loss at most .12',
  },
  {
    name: 'bank_marketing',
    asOf: '2009-12-31',
    date: '2010-11-17',
    runs: [{}],
    kind: 'outcome',
    target: 'better than the base rate, without the length of the call',
  },
  {
    name: 'ravenstack',
    asOf: '2024-06-30',
    date: '2024-07-02',
    runs: [{}],
    kind: 'outcome',
    target: 'no skill found, the base rate served',
  },
]

/** `npm run bench:examples [name …]`: every example by the documented commands, judged on what really happened. */
export async function main(wanted: readonly string[]): Promise<void> {
  const data = process.env.LOYALCAST_REAL_DATA ?? join(checkout, '../shared/data')
  if (!existsSync(data)) {
    process.stderr.write(`There are no real data in ${data}; set LOYALCAST_REAL_DATA.\n`)
    process.exitCode = 1
    return
  }
  for (const example of examples.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const started = Date.now()
    const runs: Judgement[][] = []
    for (const environment of example.runs)
      runs.push(await runOnce(example, { LOYALCAST_REAL_DATA: data, ...environment }))
    print(example, meanOf(runs), (Date.now() - started) / 1000)
  }
}

async function runOnce(
  example: Example,
  environment: Readonly<Record<string, string>>,
): Promise<Judgement[]> {
  const work = await mkdtemp(join(tmpdir(), 'loyalcast-bench-'))
  const folder = join(checkout, 'examples', example.name)
  const path = join(folder, 'program.yaml')
  const common = ['--data', join(work, 'data'), '--models', join(work, 'models')]
  try {
    await loyalcast(['train', path, '--as-of', example.asOf, ...common], environment)
    await loyalcast(['daily', path, '--date', example.date, ...common], environment)
    const out = join(work, 'predictions.parquet')
    await loyalcast(
      ['export', path, 'predictions', '--date', example.date, '--format', 'parquet', '--out', out, ...common],
      environment,
    )
    const program = await readProgram(path, { ...process.env, ...environment })
    const baselines = await baselinesOfDay(program, {
      dataFolder: join(work, 'data'),
      modelsFolder: join(work, 'models'),
      ...example,
    })
    const scored = {
      predictions: await readExport(out, join(work, 'spill')),
      truth: await readTruth(folder, { ...process.env, ...environment }),
      baselines,
    }
    return example.kind === 'answers' ? judgeAnswers(scored) : judgeOutcome(scored)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function print(example: Example, judged: readonly Judgement[], seconds: number): void {
  const runs = example.runs.length > 1 ? `, mean of ${example.runs.length} runs` : ''
  const lines = [
    `${example.name}: trained as of ${example.asOf}, scored for ${example.date}${runs}, ${seconds.toFixed(0)} s. To reach: ${example.target}.`,
  ]
  for (const { measure, values } of judged) {
    const cells = Object.entries(values).map(([who, value]) =>
      `${who} ${value === null ? '–' : value.toFixed(4)}`.padEnd(20),
    )
    lines.push(`  ${measure.padEnd(22)} ${cells.join(' ')}`)
  }
  process.stdout.write(`${lines.join('\n')}\n\n`)
}
