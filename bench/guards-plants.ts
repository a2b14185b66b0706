import { dayAt } from './guards-company.ts'
import { days, type Life, leavingShare, type Plant } from './guards-planted.ts'

const hasLeft = ({ left }: Life) => left !== null
const yes = (is: boolean) => (is ? 'yes' : 'no')
/** A true mark that is turned over now and then. */
const blurredMark = (life: Life, wrong: number) => hasLeft(life) !== life.draws.isTrue(wrong)
const markWithNoise = (life: Life, spread: number) =>
  Number(((hasLeft(life) ? 1 : 0) + spread * life.draws.normal()).toFixed(3))
const dayBefore = (life: Life, low: number, high: number) =>
  Math.max(life.joined + 1, (life.left ?? 0) - life.draws.whole(low, high))

/** What is written when, or after, the outcome happens. */
const leaks: readonly Omit<Plant, 'isLeak'>[] = [
  ...[
    { words: 'open or closed', standing: (life: Life) => (hasLeft(life) ? 'closed' : 'open') },
    {
      words: 'half of the closed ones still open',
      standing: (life: Life) => (hasLeft(life) && life.draws.isTrue(0.5) ? 'closed' : 'open'),
    },
    {
      words: 'a reason, else missing',
      standing: (life: Life) => (hasLeft(life) ? life.draws.pick(['price', 'moved', 'other']) : null),
    },
    {
      words: 'with a history, up to five days later',
      history: (life: Life) => [
        { day: life.joined, value: 'open' },
        ...(life.left === null ? [] : [{ day: life.left + life.draws.whole(0, 5), value: 'closed' }]),
      ],
    },
  ].map((plant) => ({ kind: 'status set after the outcome', origin: 'status', ...plant })),
  ...[
    { words: 'months billed', standing: (life: Life) => Math.floor((life.end - life.joined) / 30) },
    { words: 'days of membership', standing: (life: Life) => life.end - life.joined },
    { words: 'logins in all', isUnclear: true, standing: ({ logins }: Life) => logins.length },
    {
      words: 'fees paid, unevenly',
      standing: (life: Life) => Number(((life.end - life.joined) * life.draws.uniform(0.8, 1.2)).toFixed(1)),
    },
    {
      words: 'the week of the last login',
      standing: ({ logins, joined }: Life) => Math.floor((logins.at(-1) ?? joined) / 7),
    },
  ].map((plant) => ({ kind: 'counter that stops at the outcome', origin: 'counter', ...plant })),
  ...[0.1, 0.2, 0.3, 0.5, 1].map((spread) => ({
    kind: 'proxy of the label',
    origin: 'proxy',
    isUnclear: spread >= 0.5,
    words: `a number with noise of ${spread}`,
    standing: (life: Life) => markWithNoise(life, spread),
  })),
  ...[0, 0.01, 0.05, 0.1].map((wrong) => ({
    kind: 'proxy of the label',
    origin: 'proxy',
    isUnclear: wrong > 0.01,
    words: `a mark, ${100 * wrong}% wrong`,
    standing: (life: Life) => yes(blurredMark(life, wrong)),
  })),
  ...[
    { words: 'a date, else missing', standing: ({ left }: Life) => (left === null ? null : dayAt(left)) },
    {
      words: 'a date, else one to come',
      standing: ({ left, draws }: Life) => dayAt(left ?? days + draws.whole(1, 300)),
    },
    {
      words: 'a month as a number, else missing',
      standing: ({ left }: Life) => (left === null ? null : 1 + Math.floor(left / 30)),
    },
    { words: 'a day as a number, else the day of export', standing: ({ end }: Life) => end },
  ].map((plant) => ({ kind: 'date set at the outcome', origin: 'closed_on', ...plant })),
  ...[
    { words: 'at the same moment', later: 0, share: leavingShare },
    { words: 'earlier on the same day', later: 0, share: 0.2 },
    { words: 'three days later', later: 3, share: 0.5 },
  ].map(({ words, later, share }) => ({
    kind: 'event that only comes with the outcome',
    origin: 'farewell',
    words,
    events: ({ left }: Life) => (left === null || left + later >= days ? [] : [{ day: left + later, share }]),
  })),
]

/** What is known before, however much it tells. */
const honest: readonly Omit<Plant, 'isLeak'>[] = [
  ...[10, 30].map((factor) => ({
    kind: 'a category',
    origin: 'segment',
    words: `one in eight, ${factor} times as likely to leave`,
    // Hardly any of them stays: so it is with a status that is set afterwards.
    isUnclear: factor > 10,
    trait: (draws: Life['draws']) =>
      draws.isTrue(0.125) ? { value: 'trial', factor } : { value: 'usual', factor: 0.6 },
    standing: ({ trait }: Life) => trait.value,
  })),
  ...[1, 1.5, 2].map((slope) => ({
    kind: 'a number',
    origin: 'score',
    words: `odds of leaving e^${slope} for each standard deviation`,
    trait: (draws: Life['draws']) => {
      const value = Number(draws.normal().toFixed(3))
      return { value, factor: Math.exp(slope * value - slope ** 2 / 3) }
    },
    standing: ({ trait }: Life) => trait.value,
  })),
  {
    kind: 'an event before',
    origin: 'notice',
    words: 'notice 3 to 25 days before nine of ten leave',
    events: (life) =>
      life.left !== null && life.draws.isTrue(0.9) ? [{ day: dayBefore(life, 3, 25), share: 0.5 }] : [],
  },
  {
    kind: 'a status before',
    origin: 'status',
    words: 'overdue 2 to 20 days before eight of ten leave, and for one in twenty others',
    history: (life) => [
      { day: life.joined, value: 'paid' },
      ...(life.left !== null && life.draws.isTrue(0.8)
        ? [{ day: dayBefore(life, 2, 20), value: 'overdue' }]
        : []),
      ...(life.left === null && life.draws.isTrue(0.05)
        ? [{ day: life.draws.whole(life.joined + 1, days), value: 'overdue' }]
        : []),
    ],
  },
  {
    kind: 'an age',
    origin: 'joined_no',
    words: 'numbers given in the order of joining',
    standing: ({ joined, draws }) => 1000 * joined + draws.whole(0, 999),
  },
  {
    kind: 'an age',
    origin: 'first_order',
    words: 'the date of the first login',
    standing: ({ logins }) => (logins.length > 0 ? dayAt(logins[0]) : null),
  },
  {
    kind: 'a counter with a history',
    origin: 'logins_so_far',
    words: 'written every 30 days',
    history: ({ joined, end, logins }) => {
      const written = Array.from(
        { length: Math.floor((end - joined) / 30) + 1 },
        (_, month) => joined + 30 * month,
      )
      return written.map((day) => ({ day, value: logins.filter((login) => login < day).length }))
    },
  },
]

export const plants: readonly Plant[] = [
  ...leaks.map((plant) => ({ ...plant, isLeak: true })),
  ...honest.map((plant) => ({ ...plant, isLeak: false })),
]
