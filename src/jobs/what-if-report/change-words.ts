import type { Change, EventEdit } from '../../simulation/scenario.ts'
import { percent, plain, signed } from './words.ts'

/** What a change does, for somebody who has not seen the question. */
export function changeWords(change: Change): string {
  if (change.kind === 'attribute') return `${change.attribute} becomes ${change.value}`
  if (change.kind === 'initiative')
    return `everybody reached is treated as in ${change.initiative}${change.arm === null ? '' : `, arm ${change.arm}`}`
  return eventWords(change)
}

function eventWords({ types, remove, add, amount }: EventEdit): string {
  const events = types.join(', ')
  const short = (value: number) => plain(value, Number.isInteger(value) ? 0 : 2)
  if (remove !== null)
    return `${percent(remove, Number.isInteger(100 * remove) ? 0 : 1)} fewer ${events} events`
  if (add !== null) return `${short(add)} more ${events} events a customer`
  if (amount === null) return `${events} events as they are`
  const edits = [
    amount.scale === null ? null : `times ${short(amount.scale)}`,
    amount.shift === null ? null : signed(amount.shift, Number.isInteger(amount.shift) ? 0 : 2),
    amount.cap === null ? null : `at most ${short(amount.cap)}`,
  ]
  return `${amount.property ?? 'value'} of ${events} events ${edits.filter((edit) => edit !== null).join(', ')}`
}
