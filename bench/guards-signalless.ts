import { dayAt, instantAt, type MadeCompany, type Row, sourcesText } from './guards-company.ts'
import { type Draws, drawsOf, memorylessDays } from './guards-draws.ts'

/**
 * A small company in which nothing that is seen tells anything of what will happen: outcomes and answers come without
 * memory and alike for everybody. An absence is predictable from activity wherever customers differ in activity, so the
 * awaited event is equally frequent for all; whatever else they do differs by orders of magnitude. Size, span, rates,
 * columns and the kinds of outcomes differ from seed to seed; in two of three companies rates and answers drift.
 */
export function makeSignalless(seed: number): MadeCompany {
  const draws = drawsOf(seed)
  const isSnapshot = draws.isTrue(0.2)
  const world = drawWorld(draws, isSnapshot)
  const events: Row[] = []
  const customers: Row[] = []
  const responses: Row[] = []
  for (let number = 0; number < world.customers; number++) {
    const id = `c${number}`
    const joined = isSnapshot || draws.isTrue(0.5) ? 0 : draws.whole(0, world.days - 40)
    const left = world.hasLeaving
      ? memorylessDays(draws, { ...world, from: joined + 1, rate: world.leaving })[0]
      : undefined
    const life = { from: joined, until: left ?? world.until }
    customers.push(...attributeRows(draws, { id, world, life }))
    if (!isSnapshot) events.push(...activityRows(draws, { id, world, life }))
    for (const [type, rate] of world.happenings)
      for (const day of memorylessDays(draws, { ...life, from: joined + 1, rate }))
        events.push({ customer_id: id, at: instantAt(day, draws.uniform()), type })
    if (left !== undefined)
      events.push({ customer_id: id, at: instantAt(left, draws.uniform()), type: 'leave' })
    responses.push(...answerRows(draws, { id, world, life }))
  }
  const tables = { events, customers, responses }
  const drift = world.isDrifting ? ', drifting' : ''
  return {
    words: `${isSnapshot ? 'snapshot' : `${world.days} days`}, ${world.customers} customers, ${world.attributes.length} attributes${drift}`,
    yaml: `${sourcesText(tables, dayAt(world.until - 1))}outcomes: { ${outcomeTexts(world).join(', ')} }\n`,
    tables,
  }
}

type Rate = (day: number) => number

interface World {
  readonly isSnapshot: boolean
  readonly customers: number
  /** Days until the last one that is known. */
  readonly days: number
  readonly until: number
  readonly isDrifting: boolean
  readonly hasLeaving: boolean
  readonly leaving: Rate
  /** Event type of outcomes other than leaving → rate. */
  readonly happenings: ReadonlyMap<string, Rate>
  readonly activities: readonly { readonly type: string; readonly rate: number; readonly hasValue: boolean }[]
  readonly attributes: readonly Attribute[]
  readonly answering: Rate | null
  readonly scores: (day: number) => number
}

function drawWorld(draws: Draws, isSnapshot: boolean): World {
  const days = isSnapshot ? 100 : draws.whole(180, 420)
  const isDrifting = draws.isTrue(2 / 3)
  /** By so much rates are multiplied over the whole time; half of the drifts come at once. */
  const drift = (): Rate => {
    const whole = isDrifting ? draws.uniform(-1.2, 1.2) : 0
    const step = draws.isTrue(0.5) ? draws.uniform(0.3, 0.95) * days : null
    return (day) => Math.exp(whole * (step === null ? day / days : day > step ? 1 : 0))
  }
  const rateOf = (low: number, high: number): Rate => {
    const base = low * (high / low) ** draws.uniform()
    const drifting = drift()
    return (day) => (base / 30) * drifting(day)
  }
  const hasLeaving = isSnapshot || draws.isTrue(0.6)
  const happenings = new Map<string, Rate>()
  if (draws.isTrue(0.7)) happenings.set('upgrade', rateOf(0.03, 0.2))
  if (!isSnapshot && draws.isTrue(hasLeaving ? 0.3 : 1)) happenings.set('purchase', rateOf(0.4, 2))
  const mood = draws.uniform(5, 8.5)
  const mooring = drift()
  return {
    isSnapshot,
    customers: Math.round(150 * 2.5 ** draws.uniform()),
    days,
    until: days,
    isDrifting,
    hasLeaving,
    leaving: rateOf(0.03, 0.2),
    happenings,
    activities: Array.from({ length: draws.whole(1, 6) }, (_, index) => ({
      type: `act${index}`,
      rate: 0.1 * draws.heavy(1),
      hasValue: draws.isTrue(0.4),
    })),
    attributes: Array.from({ length: draws.whole(2, 14) }, () => drawAttribute(draws)),
    answering: draws.isTrue(0.75) ? rateOf(0.03, 0.2) : null,
    scores: (day) =>
      Math.min(10, Math.max(0, Math.round(mood + Math.log(mooring(day)) + 2.5 * draws.normal()))),
  }
}

interface Attribute {
  /** Share of customers without it. */
  readonly missing: number
  /** It is written anew at random. */
  readonly isChanging: boolean
  readonly draw: () => string | number
}

function drawAttribute(draws: Draws): Attribute {
  const levels = draws.pick([2, 3, 5, 12, 60])
  const spread = draws.uniform(0.3, 2)
  const draw = draws.pick([
    () => draws.normal(),
    () => draws.heavy(spread),
    () => `k${Math.floor(levels * draws.uniform() ** 2)}`,
    () => dayAt(draws.whole(-900, 200)),
    () => draws.whole(0, levels),
  ])
  return { draw, missing: draws.isTrue(0.4) ? draws.uniform(0, 0.6) : 0, isChanging: draws.isTrue(0.2) }
}

interface Life {
  readonly from: number
  readonly until: number
}

function attributeRows(draws: Draws, { id, world, life }: { id: string; world: World; life: Life }): Row[] {
  const values = world.attributes.map(({ draw, missing }) => (draws.isTrue(missing) ? null : draw()))
  const at = (day: number): Row => ({
    customer_id: id,
    valid_from: dayAt(day),
    ...(!world.isSnapshot && { joined_at: dayAt(life.from) }),
    ...Object.fromEntries(values.map((value, index) => [`a${index}`, value])),
  })
  const rows = [at(life.from)]
  if (world.isSnapshot || !draws.isTrue(0.5)) return rows
  world.attributes.forEach(({ isChanging, draw }, index) => {
    if (isChanging) values[index] = draw()
  })
  const changed = draws.whole(life.from + 1, world.days)
  return changed < life.until ? [...rows, at(changed)] : rows
}

function activityRows(draws: Draws, { id, world, life }: { id: string; world: World; life: Life }): Row[] {
  const own = draws.heavy(1.2)
  return world.activities.flatMap(({ type, rate, hasValue }) => {
    const typical = Math.min(0.7, rate * own * draws.heavy(0.7))
    return memorylessDays(draws, { ...life, rate: () => typical }).map((day) => ({
      customer_id: id,
      at: instantAt(day, draws.uniform()),
      type,
      value: hasValue ? Number(draws.heavy(1).toFixed(2)) : null,
    }))
  })
}

function answerRows(draws: Draws, { id, world, life }: { id: string; world: World; life: Life }): Row[] {
  const { answering, scores } = world
  if (answering === null) return []
  const days = memorylessDays(draws, { from: life.from + 1, until: life.until, rate: answering })
  return days.map((day) => ({
    customer_id: id,
    at: instantAt(day, draws.uniform()),
    metric: 'nps',
    score: scores(day),
  }))
}

function outcomeTexts({ hasLeaving, happenings }: World): string[] {
  const texts = [
    ...(hasLeaving ? ['churn: { event: leave }'] : []),
    ...(happenings.has('upgrade') ? ['upsell: { event: upgrade, desired: true }'] : []),
    ...(happenings.has('purchase') ? ['silence: { absence_of: purchase }'] : []),
  ]
  return texts.length > 0 ? texts : ['churn: { event: leave }']
}
