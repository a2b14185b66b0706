import { resolve } from 'node:path'
import { Command } from 'commander'
import { usageError } from '../domain/errors.ts'
import { money } from '../impact/statement.ts'
import type { StrengthReport, WhatIfReport } from '../jobs/answer-report.ts'
import { answerQuestion } from '../jobs/answered-question.ts'
import { mostListed } from '../jobs/budget-report.ts'
import { formatOf } from '../jobs/row-file.ts'
import { writeTargets } from '../jobs/targets.ts'
import { type QuestionReport, questionDocument } from '../jobs/what-if.ts'
import { requirePlace, writeWhole } from '../lake/durable-files.ts'
import { askedOn, type Question, scenariosOf } from '../simulation/question-forms.ts'
import { readGiven, readSaved, recordAnswer, refuseBoth, saveScenario } from './asked-scenario.ts'
import { budgetInWords } from './budget-words.ts'
import { type Context, contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly full?: boolean
  readonly out?: string
  readonly targets?: string
  readonly save?: boolean
  readonly saved?: string
  readonly date?: string
}

/**
 * `loyalcast what-if PROGRAM [SCENARIO.json] [--full] [--date DAY] [--out FILE] [--targets FILE] [--save | --saved ID]`.
 */
export function whatIfCommand(): Command {
  return new Command('what-if')
    .description('what would be forecast had customers behaved otherwise, and what that is worth')
    .argument('<program>', 'path of a program file')
    .argument('[scenario]', 'path of a scenario as JSON')
    .option('--full', 'look at every customer of the population instead of a sample')
    .option('--date <day>', 'ask of this day, whatever the scenario says')
    .option('--out <file>', 'also write the answer as an HTML page with charts, to be read or printed')
    .option('--targets <file>', 'of a budget: write all chosen customers to a .csv, .ndjson or .parquet file')
    .option('--save', 'keep the scenario instead of asking it, and print its id')
    .option('--saved <id>', 'ask a kept scenario of the latest day, or of --date')
    .action(async (path: string, file: string | undefined, options: Options, command: Command) => {
      const context = contextOf(command)
      const date = dayOption('--date', options.date)
      const program = await context.readProgram(path)
      if (options.saved !== undefined) refuseBoth(file, options)
      if (options.save) return saveScenario(context, program, await readGiven(context, file))
      const out = options.out === undefined ? null : resolve(context.callerFolder, options.out)
      if (out !== null) await requirePlace(out)
      const saved = options.saved === undefined ? null : await readSaved(context, program, options.saved)
      const given = saved ?? (await readGiven(context, file))
      // A kept scenario is asked anew of the latest day; one that was written for a day keeps it.
      const question = saved || date !== undefined ? askedOn(given.question, date ?? null) : given.question
      const targets = targetsOf(options, question, context)
      const isFull = options.full ?? false
      const asked = { ...context, question, isFull: isFull || targets !== null }
      const { report: whole, record } = await answerQuestion(program, asked)
      if (targets !== null && whole.kind === 'budget') await writeTargets(whole.budget, targets)
      const report = isFull ? whole : withFewerChosen(whole)
      if (saved) await recordAnswer(context, program, { id: saved.id, record })
      if (out !== null) {
        const { renderReport } = await import('../jobs/what-if-report/report.ts')
        const shown = { answer: report, scenarios: scenariosOf(question), asked: given.text }
        await writeWhole(out, renderReport({ ...context, ...shown, program, isFull }))
      }
      const words = out === null ? [] : [`Report written to ${out}.`]
      printResult(context, questionDocument(report), [questionInWords(report), ...words].join('\n'))
      if (isRefused(report)) process.exitCode = 3
    })
}

/**
 * Where those whom a budget chooses are written; null: nowhere. **Errors** `format`; `targets` where the question chooses
 * nobody.
 */
function targetsOf(
  { targets }: Options,
  { kind }: Question,
  { callerFolder }: Pick<Context, 'callerFolder'>,
): string | null {
  if (targets === undefined) return null
  if (kind !== 'budget')
    throw usageError(
      'targets',
      `--targets goes with a budget, which chooses customers; the question is a ${kind}.`,
    )
  formatOf(targets)
  return resolve(callerFolder, targets)
}

/** Not more chosen customers than a report lists by default. */
function withFewerChosen(answer: QuestionReport): QuestionReport {
  if (answer.kind !== 'budget') return answer
  const chosen = answer.budget.chosen.slice(0, mostListed)
  return { kind: 'budget', budget: { ...answer.budget, chosen } }
}

/** Whether there is no answer: a scenario that leaves what is known, or a goal out of reach. */
function isRefused(answer: QuestionReport): boolean {
  if (answer.kind === 'scenario') return answer.report.support.refused
  if (answer.kind === 'budget') return answer.budget.initiatives.length === 0
  if (answer.kind === 'compare') return answer.compare.every(({ support }) => support.refused)
  return answer.kind === 'goal' && !answer.goal.reached
}

function questionInWords(answer: QuestionReport): string {
  switch (answer.kind) {
    case 'scenario':
      return inWords(answer.report)
    case 'compare':
      return answer.compare.map(inWords).join('\n\n')
    case 'sweep':
      return answer.sweep.map(strengthInWords).join('\n')
    case 'budget':
      return budgetInWords(answer.budget)
    case 'goal':
      return `${answer.goal.statement}\n${strengthInWords(answer.goal.nearest)}`
  }
}

function strengthInWords({ strength, changes, support, difference, associational }: StrengthReport): string {
  const figures = (['nps', 'outcomes'] as const).flatMap((of) =>
    Object.keys(difference[of]).map((name) => {
      const { label, value, low, high } = figureOf(difference, of, name)
      const unit = of === 'nps' ? '' : ' points'
      return `${label} ${signed(value, 2)}${unit} (${signed(low, 2)} to ${signed(high, 2)})${beside({ associational }, of, name)}`
    }),
  )
  const left = support.refused ? `; ${support.reason}` : ''
  return `${percent(strength)}: ${changes.join(' and ')}${left}\n  ${figures.join('; ')}`
}

type Difference = NonNullable<WhatIfReport['difference']>

/** One figure of a difference, in points. */
interface MovedFigure {
  readonly label: string
  readonly value: number
  readonly low: number
  readonly high: number
}

function figureOf(difference: Difference, of: 'nps' | 'outcomes', name: string): MovedFigure {
  const isNps = of === 'nps'
  const found = difference[of][name]
  const [unit, value] = 'rate' in found ? [100, found.rate] : [1, found.value]
  const label = isNps ? (name === '0' ? 'NPS today' : `NPS in ${name} days`) : name
  return { label, value: unit * value, low: unit * found.ci95[0], high: unit * found.ci95[1] }
}

/** What the forecasts alone say of the same figure, beside an adjusted one. */
function beside(
  { associational }: Pick<WhatIfReport, 'associational'>,
  of: 'nps' | 'outcomes',
  name: string,
): string {
  if (associational === null) return ''
  const { value, low, high } = figureOf(associational.difference, of, name)
  return `; by the forecasts alone ${signed(value, 3)} (${signed(low, 3)} to ${signed(high, 3)})`
}

/** What could not be compared, by the forecasts alone. */
function onlyAssociational({ difference, associational }: WhatIfReport): string[] {
  if (associational === null || difference === null) return []
  return (['nps', 'outcomes'] as const).flatMap((of) =>
    Object.keys(associational.difference[of])
      .filter((name) => !(name in difference[of]))
      .map((name) => {
        const { label, value, low, high } = figureOf(associational.difference, of, name)
        return `  ${label.padEnd(18)} not compared; by the forecasts alone ${signed(value, 3)} (95% CI ${signed(low, 3)} to ${signed(high, 3)})`
      }),
  )
}

function inWords(report: WhatIfReport): string {
  const { difference, baseline, scenario, support } = report
  const head = [
    `${report.name}: ${report.customers} customers on ${report.date}, ${report.edited} of them edited (${report.model_version}).`,
    `Evidence: ${report.evidence}: ${report.evidence_reason}.`,
  ]
  if (difference === null || baseline === null || scenario === null)
    return [...head, `Refused: ${support.reason}`].join('\n')
  const nps = Object.keys(difference.nps).map((days) => {
    const { label, value, low, high } = figureOf(difference, 'nps', days)
    const [now, then] = [baseline, scenario].map((part) => part.nps[days].value.toFixed(1))
    return `  ${label.padEnd(18)} ${now} → ${then}: ${signed(value, 2)} (95% CI ${signed(low, 2)} to ${signed(high, 2)})${beside(report, 'nps', days)}`
  })
  const outcomes = Object.keys(difference.outcomes).map((task) => {
    const { label, value, low, high } = figureOf(difference, 'outcomes', task)
    const [now, then] = [baseline, scenario].map((part) => percent(part.outcomes[task].rate))
    return `  ${label.padEnd(18)} ${now} → ${then}: ${signed(value, 3)} points (95% CI ${signed(low, 3)} to ${signed(high, 3)}), ${signed(difference.outcomes[task].customers, 1)} customers${beside(report, 'outcomes', task)}`
  })
  return [
    ...head,
    `${Math.round(100 * support.inside)}% of the edited customers look like customers that there are.`,
    ...nps,
    ...outcomes,
    ...onlyAssociational(report),
    ...moneyLines(report),
    ...breakdownLines(report),
    ...report.assumptions.map((assumption) => `Assumed: ${assumption}`),
  ].join('\n')
}

function moneyLines({ money: known, if_causal, currency, cost }: WhatIfReport): string[] {
  const worth = known ?? if_causal
  if (!worth)
    return cost > 0 ? [`Cost ${money(cost, currency)}; no value is configured to set against it.`] : []
  const show = (amount: number | null) => (amount === null ? 'not configured' : money(amount, currency))
  const range = `95% CI ${show(worth.net_ci95[0])} to ${show(worth.net_ci95[1])}`
  return [
    known ? 'Worth:' : 'Worth, if the behaviour is the cause:',
    `  revenue protected ${show(worth.revenue_protected)} over a year, gained ${show(worth.revenue_gained)}, contacts avoided ${show(worth.cost_avoided)}`,
    `  cost ${show(worth.cost)}, net ${show(worth.net)} (${range})${worth.roi === null ? '' : `, ROI ${percent(worth.roi)}`}; ${worth.break_even_cost > 0 ? `it pays up to a cost of ${show(worth.break_even_cost)}` : 'it pays at no cost'}`,
    worth.p_net_positive === null
      ? `  no probability that it pays: ${worth.p_net_positive_reason}`
      : `  probability that it pays: ${percent(worth.p_net_positive)} (${worth.p_net_positive_reason})`,
  ]
}

function breakdownLines({ segments, most_moved, currency }: WhatIfReport): string[] {
  const worth = (value: number | null) => (value === null ? '' : `, ${money(value, currency)}`)
  const moved = (difference: Readonly<Record<string, number>>) =>
    Object.entries(difference)
      .filter(([name, value]) => value !== 0 && !/^nps_[1-9]/.test(name))
      .map(([name, value]) =>
        name === 'nps_0' ? `NPS ${signed(value, 2)}` : `${name} ${signed(100 * value, 2)} points`,
      )
      .join(', ')
  return [
    ...(segments.length > 1 ? ['By segment:'] : []),
    ...(segments.length > 1
      ? segments.map(
          ({ segment, customers, difference, value }) =>
            `  ${segment ?? 'no segment'} (${customers}): ${moved(difference) || 'nothing'}${worth(value)}`,
        )
      : []),
    ...(most_moved.length > 0 ? ['Moved most:'] : []),
    ...most_moved.map(
      ({ customer_id, difference, value }) => `  ${customer_id}: ${moved(difference)}${worth(value)}`,
    ),
  ]
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`
}
