import { Command, CommanderError } from 'commander'
import { damageFailure, LoyalcastError, storageFailure } from '../domain/errors.ts'
import { withCommonOptions } from './context.ts'

/** Loaded when they are called: most need neither TensorFlow nor DuckDB to start. */
const commands: Readonly<Record<string, () => Promise<() => Command>>> = {
  check: async () => (await import('./check.ts')).checkCommand,
  ingest: async () => (await import('./ingest.ts')).ingestCommand,
  train: async () => (await import('./train.ts')).trainCommand,
  daily: async () => (await import('./daily.ts')).dailyCommand,
  runs: async () => (await import('./runs.ts')).runsCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  measure: async () => (await import('./measure.ts')).measureCommand,
  'what-if': async () => (await import('./what-if.ts')).whatIfCommand,
  scenarios: async () => (await import('./scenarios.ts')).scenariosCommand,
  actions: async () => (await import('./actions.ts')).actionsCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  models: async () => (await import('./models.ts')).modelsCommand,
  explore: async () => (await import('./explore.ts')).exploreCommand,
  webhooks: async () => (await import('./webhooks.ts')).webhooksCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
  worker: async () => (await import('./worker.ts')).workerCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  schema: async () => (await import('./schema.ts')).schemaCommand,
  simulate: async () => (await import('./simulate.ts')).simulateCommand,
}

/** Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 done but nothing could be predicted. */
export async function main(argv: readonly string[]): Promise<void> {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', leaveQuietly)
  const program = withCommonOptions(new Command('loyalcast'))
    .description('Forecasts loyalty: NPS, churn, upsell and advocacy for every customer, every day')
    .showHelpAfterError('(loyalcast --help lists the commands)')
    .exitOverride()
  try {
    for (const command of await loadCommands(argv))
      program.addCommand(withCommonOptions(command()).exitOverride())
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = explain(error)
  }
}

/** A reader that has seen enough, such as `head`, is no failure. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

/** The commands that the arguments could mean; all of them where they name none, for the help. */
async function loadCommands(argv: readonly string[]): Promise<(() => Command)[]> {
  const named = Object.keys(commands).filter((name) => argv.includes(name))
  const wanted = named.length > 0 && !argv.includes('help') ? named : Object.keys(commands)
  return Promise.all(wanted.map((name) => commands[name]()))
}

function explain(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
  const error = storageFailure(thrown) ?? damageFailure(thrown) ?? thrown
  if (error instanceof LoyalcastError) {
    process.stderr.write(`${error.message}\n`)
    return error.kind === 'usage' ? 2 : 1
  }
  process.stderr.write(
    `Something unexpected went wrong: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return 1
}
