import type { Database } from '../lake/database.ts'
import { drawFrames, type OpenedPopulation } from './evaluation.ts'
import { milderChange, noChange, strengthWords } from './milder.ts'
import type { Change, Edit } from './scenario.ts'
import { measureSupport, mostOutside } from './support.ts'

/** Bisections to the strongest change that stays inside: to a 32nd of it. */
const bisections = 5

/**
 * Why a scenario leaves what is known: the change that does so most, and how far it may go.
 *
 * @param inside share of the edited customers who look like any.
 */
export async function explainRefusal(
  database: Database,
  opened: OpenedPopulation,
  { edit: { changes, reach }, inside }: { edit: Edit; inside: number },
): Promise<string> {
  const insideOf = async (own: readonly Change[]) =>
    measureSupport(await drawFrames(database, opened, { changes: own, reach }))
  const alone: number[] = []
  for (const place of changes.keys())
    alone.push(await insideOf(changes.map((own, index) => (index === place ? own : noChange))))
  const worst = alone.indexOf(Math.min(...alone))
  const cause = changes[worst]
  const share = `${Math.round(100 * (1 - inside))}% of the edited customers would behave as none that there are`
  const reason = `${share}, most for changes[${worst}] (${strengthWords(cause)}).`
  if (milderChange(cause, 1) === null) return reason
  let [least, most] = [0, 1]
  for (let step = 0; step < bisections; step++) {
    const middle = (least + most) / 2
    const milder = milderChange(cause, middle) as Change
    const stays = await insideOf(changes.map((own, index) => (index === worst ? milder : own)))
    if (stays >= 1 - mostOutside) least = middle
    else most = middle
  }
  if (least === 0) return `${reason} No milder one stays within what is known.`
  return `${reason} At most ${strengthWords(milderChange(cause, least) as Change)} stays within what is known.`
}
