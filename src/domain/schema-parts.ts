import { z } from 'zod'

/*
 * Parts that the schemas of files share. Every message is what is *allowed* at its place: a phrase to follow "allowed:"
 * or, where a key is not known, the known keys. Only rules that span several keys have a sentence; it ends with a full
 * stop. program-problems.ts makes the complete sentences.
 */

/** Text that is not empty. @param allowed what may stand there, to follow "allowed:" */
export const text = (allowed: string) => z.string(allowed).trim().min(1, allowed)
/** A number within bounds; by default 0 or more. */
export const amount = (allowed: string, [lowest, highest] = [0, Number.MAX_VALUE]) =>
  z.number(allowed).min(lowest!, allowed).max(highest!, allowed)
/** A whole number from 1 to the highest. */
export const wholeNumber = (allowed: string, highest: number) =>
  z.int(allowed).min(1, allowed).max(highest, allowed)
/** One or a list of at least one. */
export const oneOrMore = <T extends z.ZodType>(entry: T, allowed: string) =>
  z.union([entry, z.array(entry, allowed).min(1, allowed)], allowed)
/** A map in which an unknown key is an error that lists the known ones. */
export function strict<const T extends z.core.$ZodLooseShape>(shape: T) {
  const keys = Object.keys(shape).join(', ')
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? keys : `a map with the keys ${keys}`),
  })
}

/** A rule that holds where exactly one of the keys is given. */
export function exactlyOne(map: Readonly<Record<string, unknown>>, a: string, b: string): string | null {
  const given = [a, b].filter((key) => map[key] !== undefined)
  if (given.length === 1) return null
  return `needs exactly one of ${a} and ${b}; found ${given.length === 2 ? 'both: remove one' : 'neither: add one'}.`
}

/** What a share may be. */
export const share = 'a number from 0 to 1, such as 0.35 for 35%'
