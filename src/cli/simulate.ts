import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type Answering, answeringKinds } from '../../training/synthetic/answers.ts'
import { simulateCompany } from '../../training/synthetic/company.ts'
import { addDays, localDay } from '../domain/days.ts'
import { contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly customers: string
  readonly days: string
  readonly lastDay?: string
  readonly answering: Answering
  readonly truth?: readonly string[]
}

/** `loyalcast simulate DIR [--customers N] [--days N] [--last-day DAY] [--answering observed|hidden] [--truth DAY...]`. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('writes the data and the program file of a simulated company, and what is true of it')
    .argument('<dir>', 'folder that is absent, empty or holds an earlier simulation')
    .option('--customers <n>', 'customers who ever join', '5000')
    .option('--days <n>', 'days', '548')
    .option('--last-day <day>', 'the last day with data; default: yesterday')
    .addOption(
      new Option(
        '--answering <kind>',
        'whether who answers surveys depends on behaviour or on hidden feelings',
      )
        .choices(answeringKinds)
        .default('observed'),
    )
    .option('--truth <day...>', 'days at whose end the true probabilities of everybody are written down')
    .action(async (folder: string, options: Options, command: Command) => {
      const context = contextOf(command)
      const lastDay = dayOption('--last-day', options.lastDay) ?? addDays(localDay(context.now, 'UTC'), -1)
      const company = await simulateCompany({
        folder: resolve(context.callerFolder, folder),
        customers: Number(options.customers),
        days: Number(options.days),
        seed: context.seed,
        lastDay,
        answering: options.answering,
        truthDays: (options.truth ?? []).map((day) => dayOption('--truth', day) as string),
        reporter: context.reporter,
      })
      const words = `${company.customers} customers, ${company.events} events and ${company.responses} responses up to ${lastDay}: ${company.programFile}`
      printResult(context, { ...company, lastDay }, words)
    })
}
