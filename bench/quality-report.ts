import { meanOf } from '../src/model/metrics.ts'
import { type Figures, type JudgedTask, measures, ours, type Ratio } from './quality-judge.ts'

/** What must hold over all tasks, and whether it does. */
export interface Claim {
  readonly isHeld: boolean
  readonly words: string
}

const widths = { task: 27, who: 14, measure: 10 }

export function tableHead(): string {
  return [
    'task'.padEnd(widths.task),
    'who'.padEnd(widths.who),
    ...measures.map((name) => name.padStart(widths.measure)),
    '   log loss / chosen peer (/ best in hindsight)',
  ].join('')
}

/** The lines of one task: everybody's means, and our own spread over the runs. */
export function tableRows({ program, task, rows, all, ratio, calibration, coverage }: JudgedTask): string {
  const lines = all.flatMap(({ who, mean, spread }) => {
    const name = (who === ours ? `${program} ${task}` : '').padEnd(widths.task)
    const compared = who === ours && ratio ? `   ${ratioWords(ratio)}` : ''
    const own = `${name}${who.padEnd(widths.who)}${cells(mean)}${compared}`
    return who === ours && spread
      ? [own, `${' '.repeat(widths.task)}${'  ±'.padEnd(widths.who)}${cells(spread)}`]
      : [own]
  })
  const notes = [
    `${rows.toFixed(0)} test rows a run`,
    ...(calibration ? [`ECE of a perfect forecast up to ${calibration.bound.toFixed(4)}`] : []),
    ...(coverage === null ? [] : [`${(100 * coverage).toFixed(1)}% of answers in the 80% interval`]),
  ]
  return `${lines.join('\n')}\n${' '.repeat(widths.task)}(${notes.join('; ')})`
}

function cells(figures: Figures): string {
  return measures
    .map((name) => {
      const value = figures[name]
      return (typeof value === 'number' ? value.toFixed(name.endsWith(' s') ? 1 : 4) : '').padStart(
        widths.measure,
      )
    })
    .join('')
}

function ratioWords({ chosen, best }: NonNullable<JudgedTask['ratio']>): string {
  return chosen.of === best.of ? of(chosen) : `${of(chosen)} (${of(best)})`
}

function of({ mean, low, high, of: peer }: Ratio): string {
  return `${mean.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}] of ${peer}`
}

/** The four claims, judged on every task that was measured. */
export function judgeClaims(judged: readonly JudgedTask[]): Claim[] {
  return [ratioClaim(judged), intervalClaim(judged), calibrationClaim(judged), coverageClaim(judged)].filter(
    (claim) => claim !== null,
  )
}

function ratioClaim(judged: readonly JudgedTask[]): Claim | null {
  const ratios = judged.flatMap(({ ratio }) => (ratio ? [ratio] : []))
  if (ratios.length === 0) return null
  const chosen = geometricMean(ratios.map((ratio) => ratio.chosen.mean))
  const best = geometricMean(ratios.map((ratio) => ratio.best.mean))
  return {
    isHeld: best <= 1,
    words: `The geometric mean of log loss over the best peer in hindsight is ${best.toFixed(4)} over ${ratios.length} tasks (at most 1.00), over the chosen peer ${chosen.toFixed(4)}.`,
  }
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(meanOf(values.map(Math.log)))
}

function intervalClaim(judged: readonly JudgedTask[]): Claim | null {
  const compared = judged.filter(({ ratio }) => ratio !== null)
  if (compared.length === 0) return null
  const worseThan = (peer: 'chosen' | 'best') =>
    namesOf(compared.filter(({ ratio }) => ratio !== null && ratio[peer].low > 1.01)) || 'none'
  const best = worseThan('best')
  return {
    isHeld: best === 'none',
    words: `The interval of that ratio lies wholly above 1.01 in hindsight on ${best}, over the chosen peer on ${worseThan('chosen')}.`,
  }
}

function calibrationClaim(judged: readonly JudgedTask[]): Claim {
  const off = judged.filter(({ calibration: found }) => found && found.error > Math.max(0.02, found.bound))
  return claim(off, {
    all: 'Every calibration error is at most .02 or what a perfectly calibrated forecast would show.',
    some: (names) =>
      `The calibration error is above .02 and above a perfectly calibrated forecast's on ${names}.`,
  })
}

function coverageClaim(judged: readonly JudgedTask[]): Claim | null {
  if (judged.every(({ coverage }) => coverage === null)) return null
  const off = judged.filter(({ coverage }) => coverage !== null && (coverage < 0.78 || coverage > 0.88))
  return claim(off, {
    all: 'Of the 80% intervals of the NPS answer 78 to 88% hold the answer.',
    some: (names) => `The 80% intervals hold fewer than 78% or more than 88% of the answers on ${names}.`,
  })
}

function claim(
  failing: readonly JudgedTask[],
  words: { all: string; some: (names: string) => string },
): Claim {
  const names = namesOf(failing)
  return { isHeld: failing.length === 0, words: failing.length === 0 ? words.all : words.some(names) }
}

function namesOf(judged: readonly JudgedTask[]): string {
  return judged.map(({ program, task }) => `${program} ${task}`).join(', ')
}
