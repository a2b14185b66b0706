import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Piscina } from 'piscina'
import { readProgram } from '../src/lake/program-file.ts'
import { type Backend, startBackend } from '../src/model/backend.ts'
import { Registry } from '../src/model/registry.ts'
import { lastDay } from './daily-company.ts'
import { dailyPeers, python, whyNot } from './daily-peers.ts'
import type { InferenceTask } from './inference-worker.ts'
import { peerScripts } from './quality-peers.ts'
import { readServedDay } from './scored-day.ts'

const threadCounts = [1, 2]

/**
 * `npm run bench:inference -- --folder DIR [--customers N --days N --rows N]`: rows a second of predicting alone, by the
 * company that `bench:daily --folder DIR` left: all members of our version on each backend, and the peers' models.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      folder: { type: 'string' },
      customers: { type: 'string', default: '100000' },
      days: { type: 'string', default: '400' },
      rows: { type: 'string', default: '100000' },
    },
  })
  if (values.folder === undefined) throw new Error('--folder is missing: the one that bench:daily was given.')
  const name = `daily-${values.customers}-${values.days}`
  const path = join(values.folder, `company-${values.customers}-${values.days}`, 'arriving.yaml')
  const rows = Number(values.rows)
  for (const backend of ['wasm', 'native'] as const)
    await measureOwn({ work: values.folder, path, rows, backend })
  for (const peer of ['polars', 'pandas'] as const) {
    const { models, words } = dailyPeers[peer]
    const reason = await whyNot(peer)
    if (reason !== null) {
      print(reason)
      continue
    }
    const folder = join(values.folder, name)
    const script = join(peerScripts, 'daily_inference.py')
    for (const threads of threadCounts) {
      const given = [folder, join(folder, `own-${lastDay}`), models, String(rows), String(threads)]
      const seconds = Number(execFileSync(python, ['-B', script, ...given], { encoding: 'utf8' }))
      printSpeed(`${words.split(' + ')[1]}, ${threads} threads`, rows / seconds)
    }
  }
}

interface OwnWork {
  readonly work: string
  readonly path: string
  readonly rows: number
  readonly backend: Backend
}

/** Each thread predicts its share of the rows, encoding included. */
async function measureOwn({ work, path, rows, backend }: OwnWork): Promise<void> {
  try {
    await startBackend(backend)
  } catch (problem) {
    print(`Ours, ${backend}: ${(problem as Error).message}`)
    return
  }
  const modelsFolder = join(work, 'models')
  const program = await readProgram(path, {})
  const { frame } = await readServedDay(program, {
    dataFolder: join(work, 'data'),
    modelsFolder,
    date: lastDay,
  })
  const registry = new Registry(modelsFolder, program.name)
  const folder = registry.folderOf((await registry.champion()) ?? '')
  for (const threads of threadCounts) {
    const filename = fileURLToPath(new URL('./inference-worker.js', import.meta.url))
    const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads })
    const task: InferenceTask = { folder, backend, frame, rows: Math.ceil(rows / threads) }
    const speeds: number[] = await Promise.all(Array.from({ length: threads }, () => pool.run(task)))
    await pool.destroy()
    printSpeed(
      `Ours, ${backend}, ${threads} threads`,
      speeds.reduce((sum, speed) => sum + speed, 0),
    )
  }
}

function printSpeed(words: string, rowsPerSecond: number): void {
  print(`${words.padEnd(30)} ${String(Math.round(rowsPerSecond)).padStart(10)} rows/s`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
