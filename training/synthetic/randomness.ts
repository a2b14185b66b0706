/**
 * Random numbers by counter: the number for a customer, a day and a purpose is a hash of the three, never the next of
 * a stream. So every customer can be simulated alone, in any order, and two worlds that differ in one decision share
 * all other luck.
 */
export interface Luck {
  readonly key: number
  readonly stream: number
}

/** What a number is drawn for. At most 32 purposes a day. */
export const purpose = {
  feel: 0,
  trouble: 1,
  decide: 2,
  cancel: 3,
  outage: 4,
  delay: 5,
  hours: 6,
  topic: 7,
  reopen: 8,
  login: 9,
  feature: 10,
  clock: 11,
  basket: 12,
  answering: 13,
  answer: 14,
  wording: 15,
  support: 16,
  invitation: 17,
  arm: 18,
  sparing: 19,
} as const

/** A hash with full avalanche: the finaliser "lowbias32" of Chris Wellons, public domain. */
function mix(value: number): number {
  let x = value ^ (value >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  return x ^ (x >>> 16)
}

/** The luck of a customer, an account or the company. Different indexes of one seed never share a key. */
export function luckOf(seed: number, index: number, kind = 0): Luck {
  const root = mix(seed | 0) ^ mix(Math.floor(seed / 4294967296) + Math.imul(kind + 1, 0x9e3779b1))
  const key = mix(Math.imul(index + 1, 0x9e3779b1) ^ root)
  return { key, stream: mix(key ^ root ^ 0x5bf03635) }
}

/** The same customer in another future. */
export function luckOfWorld({ key, stream }: Luck, world: number): Luck {
  const other = mix(Math.imul(world + 1, 0x85ebca6b))
  return { key: mix(key ^ other), stream: mix((stream + other) | 0) }
}

/** 32 random bits for a day and a purpose. */
export function bitsOf(luck: Luck, day: number, why: number): number {
  const x = Math.imul((day << 5) | why, 0x9e3779b1) ^ luck.key
  return mix((Math.imul(x ^ (x >>> 15), 0x21f0aaad) + luck.stream) | 0)
}

/** A number from 0 up to, not including, 1. */
export function uniform(luck: Luck, day: number, why: number): number {
  return (bitsOf(luck, day, why) >>> 0) / 4294967296
}

/** A number for something drawn once in a life. */
export function onceUniform(luck: Luck, number: number): number {
  return uniform(luck, 1 << 20, number)
}

/** A standard normal number for something drawn once in a life. */
export function onceNormal(luck: Luck, number: number): number {
  return normalOf(bitsOf(luck, 1 << 20, number))
}

/** Few enough for the table to stay in the fastest cache. */
const normalSteps = 1024
const normalTable = Float64Array.from({ length: normalSteps }, (_, step) =>
  normalQuantile((step + 0.5) / normalSteps),
)

/** A standard normal number from the upper 10 of 32 random bits; the lower 22 stay free for another use. */
export function normalOf(bits: number): number {
  return normalTable[bits >>> 22]
}

/** A number from 0 to 1 from the lower 22 of 32 random bits. */
export function lowerUniform(bits: number): number {
  return (bits & 0x3fffff) / 0x400000
}

/** Inverse of the normal distribution function, by bisection on a series: only tables are made with it. */
function normalQuantile(probability: number): number {
  let low = -6
  let high = 6
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (normalShare(middle) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Share of a standard normal below `x`: Marsaglia's series (2004), exact to double precision for |x| < 7. */
function normalShare(x: number): number {
  let sum = x
  let term = x
  for (let i = 3; Math.abs(term) > 1e-17; i += 2) {
    term *= (x * x) / i
    sum += term
  }
  return 0.5 + sum * Math.exp(-0.5 * x * x - 0.9189385332046728)
}
