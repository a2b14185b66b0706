import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openFitter } from '../src/model/fitter.ts'
import { checkout } from './commands.ts'
import type { JudgedTask } from './quality-judge.ts'
import { type MeasureOptions, measureProgram, tuneProgram } from './quality-measure.ts'
import { findInterpreter } from './quality-peers.ts'
import { judgeClaims, tableHead, tableRows } from './quality-report.ts'
import { isExample, type QualityProgram, qualityPrograms } from './quality-tasks.ts'

/**
 * `npm run bench:quality [-- NAME …] [--reduced] [--development] [--tune [--draws N] [--seconds S]]`: our model beside tuned Python
 * peers on identical rows, features and splits. Exit code 1 where a claim does not hold in the whole measurement.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      reduced: { type: 'boolean', default: false },
      development: { type: 'boolean', default: false },
      tune: { type: 'boolean', default: false },
      draws: { type: 'string', default: '12' },
      seconds: { type: 'string', default: '150' },
    },
  })
  const { interpreter, missing } = await findInterpreter(process.env.LOYALCAST_PEERS_PYTHON ?? 'python3')
  if (missing !== null) say(missing)
  const realData = resolve(process.env.LOYALCAST_REAL_DATA ?? join(checkout, '../shared/data'))
  const programs = wantedPrograms(positionals, { isReduced: values.reduced, realData })
  const fitter = await openFitter()
  const options = {
    interpreter,
    realData,
    fitter,
    say,
    isReduced: values.reduced,
    isDevelopment: values.development,
  }
  try {
    if (values.tune) {
      const search = { count: Number(values.draws), seconds: Number(values.seconds) }
      await forEach(programs, options, (program, own) => tuneProgram(program, own, search))
      return
    }
    const judged: JudgedTask[] = []
    process.stdout.write(`${tableHead()}\n`)
    await forEach(programs, options, async (program, own) => {
      const tasks = await measureProgram(program, own)
      process.stdout.write(tasks.map((task) => `${tableRows(task)}\n`).join(''))
      judged.push(...tasks)
    })
    printClaims(judged, positionals.length === 0 && !values.reduced)
  } finally {
    await fitter.close()
  }
}

function wantedPrograms(
  names: readonly string[],
  { isReduced, realData }: { isReduced: boolean; realData: string },
): QualityProgram[] {
  const known = qualityPrograms.map(({ name }) => name)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}; there are ${known.join(', ')}.`)
  const part = isReduced ? 'reduced' : 'whole'
  const wanted = qualityPrograms.filter(({ name, parts }) =>
    names.length > 0 ? names.includes(name) : parts.includes(part),
  )
  if (existsSync(realData)) return wanted
  say(`There are no public data in ${realData} (LOYALCAST_REAL_DATA): the examples are left out.`)
  return wanted.filter(({ name }) => !isExample(name))
}

/** One program after the other, each in a folder that is removed afterwards. */
async function forEach(
  programs: readonly QualityProgram[],
  options: Omit<MeasureOptions, 'folder' | 'now'>,
  work: (program: QualityProgram, options: MeasureOptions) => Promise<void>,
): Promise<void> {
  const started = performance.now()
  for (const program of programs) {
    const folder = await mkdtemp(join(tmpdir(), 'loyalcast-quality-'))
    try {
      await work(program, { ...options, folder, now: new Date().toISOString() })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    say(`${program.name}: done after ${((performance.now() - started) / 60_000).toFixed(1)} minutes.`)
  }
}

/** The claims are about the whole measurement; of a part they are only printed. */
function printClaims(judged: readonly JudgedTask[], isWhole: boolean): void {
  if (judged.length === 0) return
  const claims = judgeClaims(judged)
  const lines = claims.map(({ isHeld, words }) => `${isHeld ? 'held' : 'NOT HELD'}: ${words}`)
  process.stdout.write(`\n${lines.join('\n')}\n`)
  if (isWhole && claims.some(({ isHeld }) => !isHeld)) process.exitCode = 1
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}
