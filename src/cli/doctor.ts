import { Command } from 'commander'
import { LoyalcastError } from '../domain/errors.ts'
import { type Context, contextOf, printResult } from './context.ts'
import { type FoundProgram, findProgram } from './doctor-programs.ts'
import { type FoundSetting, findSettings, misspelled } from './doctor-settings.ts'
import { findFolder, findKeys, findSystem, gibibytes, systemProblems } from './doctor-system.ts'

/** `loyalcast doctor [PROGRAM...]`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('says what Loyalcast runs on, what is set, and what is wrong; changes nothing')
    .argument('[programs...]', 'paths of program files that are looked into, too')
    .addHelpText('after', '\nExit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.')
    .action(async (paths: string[], _: unknown, command: Command) => {
      const context = contextOf(command)
      const report = await examine(context, paths, command)
      printResult(context, report, inWords(report))
      if (report.problems.length > 0) process.exitCode = 1
    })
}

interface Options {
  readonly data?: string
  readonly models?: string
  readonly seed?: string
  readonly json?: boolean
}

/** Everything that was found. */
interface Report {
  readonly system: Awaited<ReturnType<typeof findSystem>>
  readonly settings: readonly FoundSetting[]
  readonly data: Awaited<ReturnType<typeof findFolder>>
  readonly models: Awaited<ReturnType<typeof findFolder>>
  readonly keys: Awaited<ReturnType<typeof findKeys>>
  readonly programs: readonly FoundProgram[]
  readonly problems: readonly string[]
}

async function examine(context: Context, paths: readonly string[], command: Command): Promise<Report> {
  const { data, models, seed, json } = command.optsWithGlobals<Options>()
  const { env } = process
  const given = {
    ...(data !== undefined && { DATA: data }),
    ...(models !== undefined && { MODELS: models }),
    ...(seed !== undefined && { SEED: seed }),
    ...(json && { JSON: '1' }),
  }
  const found = {
    system: await findSystem(),
    settings: findSettings(env, given),
    data: await findFolder(context.dataFolder, '--data'),
    models: await findFolder(context.modelsFolder, '--models'),
    keys: await findKeys(context.dataFolder, context.now),
  }
  const { programs, unread } = await examinePrograms(context, paths)
  const problems = [
    ...systemProblems(found.system),
    ...found.settings.flatMap(({ problem }) => problem ?? []),
    ...misspelled(env),
    ...new Set([...found.data.problems, ...found.models.problems]),
    ...(found.keys.problem === null ? [] : [found.keys.problem]),
    ...unread,
    ...programs.flatMap((program) => program.problems),
  ]
  return { ...found, programs, problems }
}

async function examinePrograms(context: Context, paths: readonly string[]) {
  const programs: FoundProgram[] = []
  const unread: string[] = []
  for (const path of paths) {
    try {
      programs.push(await findProgram(context, path, await context.readProgram(path)))
    } catch (error) {
      if (!(error instanceof LoyalcastError)) throw error
      unread.push(error.message)
    }
  }
  return { programs, unread }
}

function inWords(report: Report): string {
  const { system, settings, data, models, keys, programs, problems } = report
  return [
    `Loyalcast ${system.version} on Node ${system.node} (${system.platform}); DuckDB ${system.duckdb}, TensorFlow.js with ${system.backend}`,
    `${system.cpus} CPUs, ${gibibytes(system.memory_bytes)} of memory, ${gibibytes(system.free_memory_bytes)} of it free`,
    '',
    'Settings:',
    ...settings.map(
      ({ name, value, origin, words }) => `  ${name} = ${value ?? '(none)'} [${origin}] ${words}`,
    ),
    '',
    ...[data, models].map(
      ({ path, is_there, free_bytes }) =>
        `${path}: ${is_there ? 'there' : 'not there yet'}, ${gibibytes(free_bytes)} free`,
    ),
    `Keys that work, beside LOYALCAST_API_KEY: ${keys.working_keys}`,
    ...programs.flatMap((program) => ['', ...programWords(program)]),
    '',
    ...(problems.length === 0
      ? ['Nothing is wrong.']
      : [`Wrong (${problems.length}):`, ...problems.map((problem) => `  - ${problem}`)]),
  ].join('\n')
}

function programWords(found: FoundProgram): string[] {
  const rows = Object.entries(found.rows).map(([table, count]) => `${count} ${table}`)
  return [
    `${found.program}: ${rows.join(', ')}; data up to ${found.data_until ?? '(none)'}`,
    `  ${found.predicted_days} days predicted, the latest ${found.latest_day ?? '(none)'}; last daily run ${found.last_daily ?? 'never'}`,
    `  ${found.versions} versions; ${found.champion ?? 'none'} serves`,
  ]
}
