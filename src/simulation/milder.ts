import type { Change } from './scenario.ts'

/** Stands where a change was: the others keep their places, by which their random choices are drawn. */
export const noChange: Change = { kind: 'events', types: [], remove: 0, add: null, amount: null }

/**
 * The same change at a share of its strength: 0 changes nothing, 1 is the change itself. Null where it has no strength:
 * a cap, an attribute, an initiative.
 */
export function milderChange(change: Change, strength: number): Change | null {
  if (change.kind !== 'events') return null
  const { remove, add, amount } = change
  if (amount !== null && (amount.cap !== null || (amount.scale === null && amount.shift === null)))
    return null
  return {
    ...change,
    remove: remove === null ? null : remove * strength,
    add: add === null ? null : add * strength,
    amount: amount && {
      ...amount,
      scale: amount.scale === null ? null : 1 + (amount.scale - 1) * strength,
      shift: amount.shift === null ? null : amount.shift * strength,
    },
  }
}

/** What of a change can be milder, in words: `remove 0.25`. */
export function strengthWords(change: Change): string {
  if (change.kind !== 'events') return change.kind
  const { types, remove, add, amount } = change
  const round = (value: number) => String(Number(value.toPrecision(2)))
  const edits = Object.entries({ remove, add, scale: amount?.scale ?? null, shift: amount?.shift ?? null })
  const words = edits.flatMap(([name, value]) => (value === null ? [] : [`${name} ${round(value)}`]))
  return `${words.join(' and ')} of ${types.join(', ')}`
}
