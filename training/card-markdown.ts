import type { BoundedInterval } from '../src/model/bootstrap.ts'
import type { AnswerMetrics } from './answer-evaluation.ts'
import type { Card } from './card.ts'
import { describeCorrections } from './correction-words.ts'
import type { Compared, HorizonEvaluation, HorizonMetrics, OutcomeEvaluation } from './evaluation.ts'

const names: Compared<string> = {
  model: '**Loyalcast**',
  base_rate: 'base rate',
  last_known: 'last known',
  logistic: 'logistic regression',
}
const compared = Object.keys(names) as (keyof Compared<unknown>)[]

/** Behaviours a task in words; the JSON has all. */
const driversShown = 10

/** A model card to be read by a person. */
export function cardMarkdown(card: Card): string {
  return `${[
    `# ${card.program} ${card.version}`,
    describeData(card),
    `## How it was judged\n\n${card.split.words} Learned from ${card.split.fitRows} rows, judged on ${card.split.testRows}.`,
    ...card.outcomes.map(describeOutcome),
    describeAnswers(card),
    describeNonResponse(card),
    describeSegments(card),
    describeGroups(card),
    describeDrivers(card),
    describeSkipped(card),
    describeMembers(card),
    describeLeaks(card),
    `## Limits\n\n${card.limits.map((limit) => `- ${limit}`).join('\n')}`,
    describeFeatures(card),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

function describeData({ data, trainedAt, codeVersion, seed, backend }: Card): string {
  return table(
    ['what', 'value'],
    [
      ['trained', `${trainedAt}, code ${codeVersion}, seed ${seed}, backend ${backend ?? 'none'}`],
      ['as of', `${data.asOf}, lake commit ${data.lakeCommit}`],
      [
        'data',
        `${data.rows} rows of ${data.customers} customers, cutoffs ${data.cutoffs}, ${data.firstCutoff} to ${data.lastCutoff}`,
      ],
      ['fingerprint', `\`${data.fingerprint}\``],
    ],
  )
}

function describeOutcome({ name, horizons, gain, order, hasSkill }: OutcomeEvaluation): string {
  const skill = gain
    ? `Drawn halfway to the base rate, forecasts gain ${bounded(gain)} nats a row over it.${order ? ` Concordance among customers of one day, above one half: ${bounded(order)}.` : ''} ${hasSkill ? 'It has skill.' : 'No skill: the base rate is served.'}`
    : 'Nothing could be judged on later data: the base rate is served.'
  return [`## ${name}`, skill, ...horizons.map(describeHorizon)].join('\n\n')
}

function describeHorizon(horizon: HorizonEvaluation): string {
  const columns: (keyof HorizonMetrics)[] = ['auc', 'prAuc', 'logLoss', 'brier', 'ece', 'liftAt10']
  const metrics = table(
    ['', 'AUC', 'PR-AUC', 'log loss', 'Brier', 'ECE', 'lift@10%'],
    compared.map((who) => [names[who], ...columns.map((column) => number(horizon.metrics[who][column]))]),
  )
  const reliability = table(
    ['predicted', 'happened', 'rows'],
    horizon.reliability.map(({ predicted, observed, weight }) => [
      number(predicted),
      number(observed),
      String(Math.round(weight)),
    ]),
  )
  return `### Within ${horizon.horizonDays} days (${horizon.happened} of ${horizon.rows})\n\n${metrics}\n\nReliability:\n\n${reliability}`
}

function bounded({ mean, low, high, lowerBound }: BoundedInterval): string {
  return `${number(mean)} (95% ${number(low)} to ${number(high)}; with 95% at least ${number(lowerBound)})`
}

function describeAnswers({ nps }: Card): string {
  if (nps === null) return ''
  const columns: (keyof AnswerMetrics)[] = ['mae', 'rps', 'detractorAuc', 'promoterAuc']
  const { gain, groupNps } = nps
  const { predicted, actual } = groupNps
  return [
    `## NPS (${nps.answers} answers)`,
    table(
      ['', 'MAE', 'RPS', 'detractor AUC', 'promoter AUC'],
      compared.map((who) => [names[who], ...columns.map((column) => number(nps.metrics[who][column]))]),
    ),
    `The 80% interval held ${(100 * nps.coverage80).toFixed(1)}% of the answers. Net promoter score of those who answered: ${predicted.toFixed(1)} predicted, ${actual.mean.toFixed(1)} actual (95% ${actual.low.toFixed(1)} to ${actual.high.toFixed(1)}).`,
    `Drawn halfway to the base rate, forecasts gain ${bounded(gain)} in ranked probability score over it. ${nps.hasSkill ? 'It has skill.' : 'No skill: the distribution of all answers is served.'}`,
  ].join('\n\n')
}

function describeNonResponse({ nonResponse }: Card): string {
  if (nonResponse === null) return ''
  const { kind, asked, answered, withinDays, propensity, plainNps, everybodyNps } = nonResponse
  const share = asked > 0 ? `${((100 * answered) / asked).toFixed(1)}%` : '–'
  const interval = (low: number, high: number) => `${low.toFixed(1)} to ${high.toFixed(1)}`
  const moments = kind === 'invitations' ? 'Invitations' : 'Customers at cutoffs'
  const rows = [
    ['plain mean of the answers', plainNps.mean.toFixed(1), interval(plainNps.low, plainNps.high)],
    [
      nonResponse.claimsCorrection ? '**everybody**' : '**everybody**, no correction claimed',
      everybodyNps?.value.toFixed(1) ?? '–',
      everybodyNps?.ci95 ? interval(...everybodyNps.ci95) : '–',
    ],
  ]
  return [
    '## Who did not answer',
    `${moments} followed by an answer within ${withinDays} days: ${answered} of ${asked} (${share}).${
      propensity
        ? ` Who answers, by what is known of customers: AUC ${number(propensity.auc)}, gain in log loss over the base rate ${number(propensity.gain.mean)} (95% ${number(propensity.gain.low)} to ${number(propensity.gain.high)}).`
        : ''
    }`,
    table(['NPS of the days it was judged on', 'value', '95%'], rows),
    `From ${nonResponse.answers} answers, which weighed as they are tell as much as ${Math.round(nonResponse.effectiveAnswers)} of equal weight.`,
    nonResponse.words.join(' '),
  ].join('\n\n')
}

function describeSegments({ segments }: Card): string {
  if (segments.length === 0) return ''
  const range = ({ mean, low, high }: { mean: number; low: number; high: number }, digits: number) =>
    `${mean.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
  const rows = segments.flatMap(({ segment, rows: count, outcomes, nps }) => [
    ...Object.entries(outcomes).map(([task, { rows: known, predicted, actual }]) => [
      segment,
      task,
      String(known),
      predicted.toFixed(4),
      range(actual, 4),
    ]),
    nps
      ? [segment, 'nps', String(nps.answers), nps.predicted.toFixed(1), range(nps.actual, 1)]
      : [segment, 'nps', '0 answers', '', `${count} rows`],
  ])
  return `## By segment\n\n${table(['segment', 'task', 'rows', 'predicted', 'actual (95%)'], rows)}`
}

function describeGroups({ groupErrors }: Card): string {
  const rows = Object.entries(groupErrors).map(([task, { standardError, spread }]) => {
    const digits = task.startsWith('nps_') ? 1 : 4
    return [task, standardError.toFixed(digits), spread.toFixed(digits)]
  })
  if (rows.length === 0) return ''
  return `## Error of group forecasts\n\nStandard error of the level that all share, and the spread of single customers around it. For outcomes it is at least what later data showed the level to be off by; for NPS it holds how far the level drifted.\n\n${table(['task', 'level', 'customer'], rows)}`
}

function describeDrivers({ drivers }: Card): string {
  if (drivers.length === 0) return ''
  const tables = drivers.map(({ task, unit, behaviours, remainder }) => {
    const rows = behaviours
      .slice(0, driversShown)
      .map(({ behaviour, words, effect, direction }) => [
        behaviour,
        number(effect),
        direction ? `more of it ${direction} the forecast` : '',
        words,
      ])
    const rest = ['what no single behaviour explains', number(remainder), '', '']
    const head = [`${task}, ${unit}`, 'moves by', 'direction', 'mostly by']
    return table(head, [...rows, rest])
  })
  return `## What moves the forecasts\n\nMean absolute size, over everybody learned from, of what each behaviour adds to or takes from a forecast.\n\n${tables.join('\n\n')}`
}

function describeSkipped({ skipped }: Card): string {
  const lines = Object.entries(skipped).map(([task, { words }]) => `- ${task}: ${words}`)
  return lines.length === 0 ? '' : `## Not predicted\n\n${lines.join('\n')}`
}

function describeMembers({ members, calibration, halfLivesDays }: Card): string {
  if (members.length === 0) return ''
  const tasks = Object.keys(members[0].weights)
  const share = ({ weights }: Card['members'][number], task: string) => `${(100 * weights[task]).toFixed(0)}%`
  const added = ({ adds }: Card['members'][number], task: string) =>
    adds[task] === undefined ? '' : ` (${adds[task] >= 0 ? '+' : '−'}${number(Math.abs(adds[task]))})`
  const rows = members.map((member) => [
    member.name,
    ...tasks.map((task) => `${share(member, task)}${added(member, task)}`),
    member.microsecondsPerRow === null ? '–' : member.microsecondsPerRow.toFixed(1),
  ])
  const corrections = Object.entries(calibration).map(
    ([task, calibrator]) => `${task}: ${describeCorrections(calibrator)}`,
  )
  const drifting = Object.entries(halfLivesDays).map(([name, days]) => `${name} ${days} days`)
  return [
    '## Members',
    'Share of each member, and in brackets what it adds: log loss of the others without it less that of all together, in nats a row on the later data; below zero it did not help there.',
    table(['member', ...tasks, 'µs a row'], rows),
    `Corrections of logits, one for each interval between horizons: ${corrections.join('; ')}.`,
    ...(drifting.length > 0
      ? [`The level drifts; labels came to count half as much in: ${drifting.join(', ')}.`]
      : []),
  ].join('\n\n')
}

function describeLeaks({ leaks }: Card): string {
  if (leaks.length === 0) return ''
  return `## Suspected leaks\n\n${leaks.map(({ words, isAccepted }) => `- ${words} ${isAccepted ? 'Accepted by the program file.' : 'Left out.'}`).join('\n')}`
}

function describeFeatures({ features }: Card): string {
  const rows = features.map(({ name, unit, words, isUsed }) => [
    `\`${name}\``,
    unit,
    words,
    isUsed ? '' : 'constant or missing',
  ])
  return `## Features\n\n${table(['feature', 'unit', 'meaning', ''], rows)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(value: number | null): string {
  return value === null ? '–' : value.toFixed(4)
}
