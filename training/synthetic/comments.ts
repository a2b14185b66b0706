import {
  angry,
  dearer,
  disappointed,
  fair,
  happy,
  late,
  leaving,
  misfit,
  outages,
  praise,
  quick,
  recommending,
  reopened,
  slow,
  wishes,
} from './phrases.ts'
import { type Luck, luckOfWorld, uniform } from './randomness.ts'

/** What lately happened to a customer, as days on which it did; far in the past where it never did. */
export interface Memory {
  delayDay: number
  delayDays: number
  outageDay: number
  slowDay: number
  fastDay: number
  reopenedDay: number
  priceDay: number
}

const never = -10_000

/** Nothing has happened yet. */
export function blankMemory(): Memory {
  return {
    delayDay: never,
    delayDays: 0,
    outageDay: never,
    slowDay: never,
    fastDay: never,
    reopenedDay: never,
    priceDay: never,
  }
}

/** Days for which people remember. */
const remembered = 75
const emptyShare = 0.3
const typoShare = 0.04
const lowercaseShare = 0.12

type Draw = () => number

/**
 * What a customer writes beside a score: reasons that really happened within the last weeks, in words that fit the
 * score. Null where nothing is written.
 */
export function writeComment(
  memory: Memory,
  { score, day, luck }: { score: number; day: number; luck: Luck },
): string | null {
  const own = luckOfWorld(luck, day)
  let count = 0
  const draw = () => uniform(own, count++, 15)
  const isModerate = score >= 6 && score <= 8
  if (draw() < (isModerate ? emptyShare * 1.5 : emptyShare)) return null
  const text = compose({
    bad: badReasons(memory, day, draw),
    good: goodReasons(memory, day, draw),
    score,
    draw,
  })
  return roughen(text, draw)
}

function compose(on: { bad: string[]; good: string[]; score: number; draw: Draw }): string {
  const { bad, good, score, draw } = on
  if (score <= 3)
    return sentences([pick(angry, draw), ...bad.slice(0, 2), ...maybe(pick(leaving, draw), 0.35, draw)])
  if (score <= 6) {
    const worst = bad.slice(0, draw() < 0.4 ? 2 : 1)
    return draw() < 0.25
      ? sentences([`${pick(fair, draw)}, but ${lowered(worst[0])}`, ...worst.slice(1)])
      : sentences([...maybe(pick(disappointed, draw), 0.5, draw), ...worst])
  }
  if (score <= 8) {
    const isMixed = draw() < 0.6
    return isMixed
      ? sentences([`${pick(fair, draw)}, but ${lowered(bad[0])}`])
      : sentences([good[0], ...maybe(pick(wishes, draw), 0.5, draw)])
  }
  return sentences([
    ...maybe(pick(happy, draw), 0.7, draw),
    good[0],
    ...maybe(pick(recommending, draw), 0.4, draw),
  ])
}

/** The worst that happened lately, freshest first; where nothing did, what people say who just don't fit. */
function badReasons(memory: Memory, day: number, draw: Draw): string[] {
  const days = memory.delayDays
  const found: [number, string][] = [
    [memory.delayDay, pick(late, draw).replace('#', days === 1 ? 'a day' : `${days} days`)],
    [memory.outageDay, pick(outages, draw)],
    [memory.slowDay, pick(slow, draw)],
    [memory.reopenedDay, pick(reopened, draw)],
    [memory.priceDay, pick(dearer, draw)],
  ]
  const recent = found.filter(([when]) => isRecent(when, day))
  const reasons = recent.sort(([a], [b]) => b - a).map(([, text]) => text)
  return reasons.length > 0 ? reasons : [pick(misfit, draw)]
}

function goodReasons(memory: Memory, day: number, draw: Draw): string[] {
  if (isRecent(memory.fastDay, day) && draw() < 0.7) return [pick(quick, draw)]
  return [pick(isRecent(memory.delayDay, day) ? otherPraise : praise, draw)]
}

/** Nobody whose last parcel was late praises deliveries. */
const otherPraise = praise.filter((text) => !/deliver/i.test(text))

function isRecent(when: number, day: number): boolean {
  return when <= day && when > day - remembered
}

function pick(texts: readonly string[], draw: Draw): string {
  return texts[Math.floor(draw() * texts.length)]
}

function maybe(text: string, share: number, draw: Draw): string[] {
  return draw() < share ? [text] : []
}

function sentences(parts: readonly string[]): string {
  return parts.map((part) => (/[.!?]$/.test(part) ? part : `${part}.`)).join(' ')
}

function lowered(text: string): string {
  return text.startsWith('I ') ? text : text[0].toLowerCase() + text.slice(1)
}

/** People write in a hurry: no capitals now and then, rarely two letters swapped. */
function roughen(text: string, draw: Draw): string {
  const plain = draw() < lowercaseShare ? text.toLowerCase().replace(/\.$/, '') : text
  if (draw() >= typoShare) return plain
  const at = 1 + Math.floor(draw() * (plain.length - 3))
  return plain.slice(0, at) + plain[at + 1] + plain[at] + plain.slice(at + 2)
}
