import { Command } from 'commander'
import { quarantineReasons } from '../domain/tables.ts'
import { type IngestReport, ingest } from '../jobs/ingest.ts'
import { contextOf, printResult } from './context.ts'

/** `loyalcast ingest PROGRAM`: sources → lake. */
export function ingestCommand(): Command {
  return new Command('ingest')
    .description('sources → lake; idempotent; bad rows go to quarantine with a reason')
    .argument('<program>', 'path of a program file')
    .option('--rebuild', 'forget what the lake holds and read all sources anew')
    .action(async (path: string, options: { rebuild?: boolean }, command: Command) => {
      const context = contextOf(command)
      const program = await context.readProgram(path)
      const report = await ingest(program, { ...context, isRebuild: options.rebuild ?? false })
      printResult(context, report, describeIngest(report))
    })
}

/** The report of an ingest in words. */
export function describeIngest(report: IngestReport): string {
  const lines = report.sources.map((source) => {
    if (source.isUnchanged) return `${source.source}: unchanged, ${source.read} rows known`
    const reasons = Object.entries(source.reasons).map(
      ([reason, rows]) => `${rows} with ${quarantineReasons[reason as keyof typeof quarantineReasons]}`,
    )
    const refused = source.quarantined > 0 ? ` (${reasons.join('; ')})` : ''
    return `${source.source}: ${source.read} read = ${source.stored} stored + ${source.duplicate} duplicate + ${source.quarantined} quarantined${refused}`
  })
  return `Ingested ${report.program}, commit ${report.commit}.\n${lines.join('\n')}`
}
