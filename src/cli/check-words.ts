import { localTime } from '../domain/days.ts'
import type { DueDay, Schedule } from '../domain/schedule.ts'
import { quarantineReasons } from '../domain/tables.ts'
import type { Counts, Span } from '../lake/commits.ts'
import type { RefusedRow } from '../lake/quarantine.ts'
import type { Finding } from './check-findings.ts'

/** What one source gave. */
export interface CheckedSource extends Counts {
  readonly source: string
  readonly table: string
  readonly reasons: Readonly<Record<string, number>>
  /** By event type, metric or initiative. */
  readonly parts: readonly (Span & { readonly part: string })[]
  /** Property or attribute → what it holds. */
  readonly columns: Readonly<Record<string, string>>
  /** The first refused row for each reason. */
  readonly refused: readonly RefusedRow[]
}

/** What `loyalcast check` found. */
export interface ProgramCheck {
  readonly program: string
  readonly sources: readonly CheckedSource[]
  /** Training would know everything up to the end of this day; null: there is nothing to learn from. */
  readonly asOf: string | null
  readonly rowsToLearnFrom: number
  /** Tasks with their horizon, such as `churn_30`. */
  readonly predictable: readonly string[]
  /** Task → why not, and how much is missing. */
  readonly notPredictable: Readonly<Record<string, string>>
  /** What seems to know an outcome. Left out of training unless accepted. */
  readonly leaks: readonly { origin: string; outcome: string; words: string; isAccepted: boolean }[]
  /** When the schedule strikes next, and for which day; null: there is none. */
  readonly schedule: (Schedule & { readonly next: DueDay }) | null
  readonly problems: readonly Finding[]
}

/** The check for people. */
export function checkInWords(checked: ProgramCheck): string {
  const { asOf, rowsToLearnFrom, predictable, notPredictable, leaks, schedule, problems } = checked
  return [
    `Checked ${checked.program}; nothing was changed.`,
    ...checked.sources.flatMap(sourceLines),
    ...(asOf === null ? [] : [`To learn from, as of ${asOf}: ${rowsToLearnFrom} rows.`]),
    `Can be predicted: ${predictable.join(', ') || 'nothing'}.`,
    ...Object.entries(notPredictable).map(([task, words]) => `Cannot be predicted: ${task}. ${words}`),
    ...leaks.map(
      ({ origin, words, isAccepted }) =>
        `Leak: ${words} ${isAccepted ? 'Accepted by accept_leaks.' : `It is left out; accept_leaks: [${origin}] would keep it.`}`,
    ),
    ...(schedule ? [scheduleLine(schedule)] : []),
    ...problems.map(({ level, words }) => `${level === 'error' ? 'Error' : 'Warning'}: ${words}`),
  ].join('\n')
}

function scheduleLine({ schedule, timezone, next }: NonNullable<ProgramCheck['schedule']>): string {
  return `Schedule: every day at ${schedule} (${timezone}) where a server or worker runs; next ${localTime(next.at, timezone)}, for ${next.date}.`
}

function sourceLines(source: CheckedSource): string[] {
  const { read, stored, duplicate, quarantined, parts, columns, refused, reasons } = source
  const names = Object.entries(columns).map(([name, kind]) => `${name} (${kind})`)
  return [
    `${source.source}: ${read} rows read = ${stored} usable + ${duplicate} duplicate + ${quarantined} refused${rangeOf(parts)}`,
    ...parts.map(({ part, rows, firstDay, lastDay }) => `  ${part}: ${rows} rows, ${firstDay} to ${lastDay}`),
    ...(names.length > 0
      ? [`  ${source.table === 'customers' ? 'attributes' : 'properties'}: ${names.join(', ')}`]
      : []),
    ...refused.map(
      ({ reason, sourceRow, row }) =>
        `  refused: ${reasons[reason]} rows with ${quarantineReasons[reason as keyof typeof quarantineReasons]}; row ${sourceRow}: ${shortened(row)}`,
    ),
  ]
}

function rangeOf(parts: readonly Span[]): string {
  if (parts.length === 0) return ''
  const first = parts.map(({ firstDay }) => firstDay).sort()[0]
  return `, ${first} to ${parts
    .map(({ lastDay }) => lastDay)
    .sort()
    .at(-1)}`
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
