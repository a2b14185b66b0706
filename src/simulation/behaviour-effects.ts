import type { BehaviourEffects } from '../impact/behaviour-effects.ts'
import { type Database, quoteText, quoteTexts } from '../lake/database.ts'
import type { OpenedPopulation } from './evaluation.ts'
import type { TransportedEffect } from './initiative-effects.ts'
import { notComparable, recallBehaviour } from './known-behaviours.ts'
import type { Change, Edit, EventEdit } from './scenario.ts'

/** What edits of behaviour do to each customer by an adjusted comparison; or why that cannot be told. */
export type AdjustedBehaviour =
  | {
      readonly effects: readonly TransportedEffect[]
      /** Days with such events that were compared, and by which types. */
      readonly compared: readonly { readonly types: readonly string[]; readonly exposed: number }[]
    }
  | { readonly reason: string }

export interface AdjustedRequest {
  readonly opened: OpenedPopulation
  readonly edit: Edit
}

/**
 * Estimates what events taken away or added do, by comparing days with such events to days without; every event counts as
 * much as one of them. Uses the table `scope`.
 */
export async function adjustBehaviour(
  database: Database,
  { opened, edit: { changes, reach } }: AdjustedRequest,
): Promise<AdjustedBehaviour> {
  const edits: EventEdit[] = []
  for (const change of changes) {
    const reason = notCompared(change, opened)
    if (reason !== null || change.kind !== 'events') return { reason: reason ?? '' }
    edits.push(change)
  }
  const parts: { edit: EventEdit; measured: BehaviourEffects }[] = []
  for (const edit of edits) {
    const { inForceDays: windowDays } = opened
    const measured = await recallBehaviour(database, { ...opened, windowDays, types: edit.types })
    if (measured.reason !== null) return { reason: `${edit.types.join(', ')}: ${measured.reason}` }
    parts.push({ edit, measured })
  }
  const moved: Float64Array[] = []
  for (const { edit } of parts) moved.push(await countMoved(database, edit, { ...opened, reach }))
  return {
    effects: addUp(parts, moved),
    compared: parts.map(({ edit, measured }) => ({ types: edit.types, exposed: measured.exposed })),
  }
}

/** Why a change cannot be compared with days as they were; null: it can. */
function notCompared(change: Change, { asked }: OpenedPopulation): string | null {
  if (change.kind !== 'events')
    return `whoever has another ${change.kind} differs in more than that, and nobody was seen before and after`
  if (change.amount !== null) return 'amounts are not compared, only whether events came'
  return notComparable(asked, change.types)
}

/** Events that each customer would meet more (or, below 0, less), on average over the draws. [customers] */
async function countMoved(
  database: Database,
  edit: EventEdit,
  { scope, reach, from, date }: OpenedPopulation & Pick<Edit, 'reach'>,
): Promise<Float64Array> {
  const moved = new Float64Array(scope.sampled)
  if (edit.add !== null) return moved.fill(edit.add * reach)
  const found = await database.columns(`
    select scope.row, count(*) as events
    from scope
    join ${scope.relations.events} as events using (customer_id)
    where type in ${quoteTexts(edit.types)} and day > date ${quoteText(from)} and day <= date ${quoteText(date)}
    group by scope.row`)
  const share = -(edit.remove as number) * reach
  for (const [at, row] of (found.row as Float64Array).entries())
    moved[row] = share * (found.events[at] as number)
  return moved
}

/** Effects of all changes together. Their errors may hang together, so their standard errors add up. */
function addUp(
  parts: readonly { readonly measured: BehaviourEffects }[],
  moved: readonly Float64Array[],
): TransportedEffect[] {
  const [{ measured: first }, ...others] = parts
  return first.effects.flatMap(({ metric, horizonDays }) => {
    const all = [first, ...others.map(({ measured }) => measured)].map(({ effects }) =>
      effects.find((own) => own.metric === metric && own.horizonDays === horizonDays),
    )
    const byCustomer = new Float64Array(moved[0].length)
    let standardError = 0
    for (const [place, own] of all.entries()) {
      if (own === undefined) return []
      let sum = 0
      for (let row = 0; row < byCustomer.length; row++) {
        byCustomer[row] += own.effect * moved[place][row]
        sum += moved[place][row]
      }
      standardError += own.standardError * Math.abs(sum / byCustomer.length)
    }
    return [{ metric, horizonDays, byCustomer, standardError, isVaried: false }]
  })
}
