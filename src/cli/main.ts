import { Command, CommanderError } from 'commander'
import { LoyalcastError } from '../domain/errors.ts'
import { checkCommand } from './check.ts'
import { withCommonOptions } from './context.ts'
import { dailyCommand } from './daily.ts'
import { exportCommand } from './export.ts'
import { ingestCommand } from './ingest.ts'
import { modelsCommand } from './models.ts'
import { schemaCommand } from './schema.ts'
import { trainCommand } from './train.ts'

/** Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 done but nothing could be predicted. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = withCommonOptions(new Command('loyalcast'))
    .description('Forecasts loyalty: NPS, churn, upsell and advocacy for every customer, every day')
    .showHelpAfterError('(loyalcast --help lists the commands)')
    .exitOverride()
  const commands = [
    checkCommand,
    ingestCommand,
    trainCommand,
    dailyCommand,
    exportCommand,
    modelsCommand,
    schemaCommand,
  ]
  for (const command of commands) program.addCommand(withCommonOptions(command()).exitOverride())
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = explain(error)
  }
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof LoyalcastError) {
    process.stderr.write(`${error.message}\n`)
    return error.kind === 'usage' ? 2 : 1
  }
  process.stderr.write(
    `Something unexpected went wrong: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  return 1
}
