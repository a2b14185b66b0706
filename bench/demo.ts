import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addDays } from '../src/domain/days.ts'
import { ModelCards } from '../src/model/model-cards.ts'
import { Registry } from '../src/model/registry.ts'
import { loyalcast } from './commands.ts'
import { type Figures, judgeRun } from './demo-judge.ts'
import { observeCompany } from './demo-observer.ts'

/** A fixed day, so that figures repeat whenever the measurement is made. */
const lastDay = '2026-10-31'
const days = 548
/** Scored so many days before the end, so that the longest horizon is seen. */
const daysAhead = 90
const date = addDays(lastDay, -daysAhead)

/**
 * `npm run bench:demo [-- --seeds N] [--first-seed N] [--customers N] [--answering observed|hidden] [--quick]`:
 * simulates companies, trains and predicts by the documented commands 90 days before their last day, and compares with
 * what is true and what happened. `--quick` learns from fewer rows and leaves the observer out; twenty seeds are then
 * a matter of an hour.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '5' },
      customers: { type: 'string', default: '5000' },
      'first-seed': { type: 'string', default: '1' },
      answering: { type: 'string', default: 'observed' },
      quick: { type: 'boolean', default: false },
    },
  })
  const { customers, answering, quick: isQuick } = values
  const first = Number(values['first-seed'])
  const runs: Figures[] = []
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const started = Date.now()
    const figures = await runOnce(seed, { customers, answering, isQuick })
    runs.push(figures)
    const seconds = ((Date.now() - started) / 1000).toFixed(0)
    print(`Seed ${seed}: ${customers} customers, trained and scored as of ${date}, ${seconds} s.`, [figures])
  }
  if (runs.length > 1) print(`Mean ± standard deviation of ${runs.length} seeds.`, runs)
}

/** Rows that a quick run learns from. */
const quickRows = 12_000

async function runOnce(
  seed: number,
  { customers, answering, isQuick }: { customers: string; answering: string; isQuick: boolean },
): Promise<Figures> {
  const work = await mkdtemp(join(tmpdir(), 'loyalcast-demo-'))
  const company = join(work, 'company')
  const path = join(company, 'program.yaml')
  const models = join(work, 'models')
  const common = ['--data', join(work, 'data'), '--models', models, '--seed', String(seed)]
  const run = (...command: string[]) => loyalcast([...command, ...common], {})
  try {
    const world = ['--customers', customers, '--days', String(days), '--answering', answering]
    await run('simulate', company, ...world, '--last-day', lastDay, '--truth', date)
    await run('train', path, '--as-of', date, ...(isQuick ? ['--max-rows', String(quickRows)] : []))
    await run('daily', path, '--date', date)
    const predictions = join(work, 'predictions.parquet')
    await run('export', path, 'predictions', '--date', date, '--format', 'parquet', '--out', predictions)
    const size = { customers: Number(customers), days, until: days - 1 - daysAhead }
    const registry = new Registry(models, 'simulated-company')
    return await judgeRun({
      company,
      predictions,
      date,
      card: await new ModelCards(registry).read((await registry.champion()) ?? ''),
      spillFolder: join(work, 'spill'),
      ...(!isQuick && { observed: observeCompany({ seed, ...size }) }),
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** A line a measure, a cell for each of those measured. */
function print(title: string, runs: readonly Figures[]): void {
  const lines = new Map<string, string[]>()
  for (const name of Object.keys(runs[0])) {
    const at = name.lastIndexOf(' ')
    const [measure, who] = [name.slice(0, at), name.slice(at + 1)]
    const cell = `${who} ${meanAndSpread(runs.map((figures) => figures[name]))}`
    lines.set(measure, [...(lines.get(measure) ?? []), cell.padEnd(26)])
  }
  const rows = [...lines].map(([measure, cells]) => `  ${measure.padEnd(22)} ${cells.join('').trimEnd()}`)
  process.stdout.write(`${title}\n${rows.join('\n')}\n\n`)
}

/** Of those runs where there is a figure: a constant forecast has no slope. */
function meanAndSpread(all: readonly number[]): string {
  const values = all.filter((value) => !Number.isNaN(value))
  if (values.length === 0) return '–'
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  if (all.length === 1) return mean.toFixed(4)
  const variance =
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1)
  const of = values.length < all.length ? ` (${values.length} of ${all.length})` : ''
  return `${mean.toFixed(4)} ± ${Math.sqrt(variance).toFixed(4)}${of}`
}
