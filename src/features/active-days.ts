/** Days of so many make a whole number: one of 64 bits with a sign, less the last. */
const daysOfWord = 62

/**
 * On how many days something was. A day is a bit of the numbers `days_0`, `days_1`, …, the cutoff's own the lowest of the
 * first: so that days are told apart without a row for each, and those of several kinds of events are put together.
 */
export class ActiveDays {
  /** How many numbers there are. */
  readonly words: number

  /** @param span days that are looked at. @param most numbers at most. Days before those of all numbers are not in them */
  constructor(span: number, most = 24) {
    this.words = Math.max(1, Math.min(most, Math.ceil(span / daysOfWord)))
  }

  /** Days that the numbers hold. */
  get span(): number {
    return this.words * daysOfWord
  }

  /** SQL of a day's bit. @param age SQL of days ago */
  bit(age: string): string {
    return `1::bigint << (${age} % ${daysOfWord})`
  }

  /** SQL: the numbers, of rows with `age` and `bit`. */
  get columns(): string {
    const from = (word: number) => word * daysOfWord
    return this.#each(
      (word) =>
        `bit_or(bit) filter (where age >= ${from(word)} and age < ${from(word + 1)}) as ${nameOf(word)}`,
    ).join(', ')
  }

  /** SQL: how many days there are in the numbers of a row. */
  get inRow(): string {
    return this.#count((name) => name)
  }

  /** SQL: on how many of the last days there is one in any of the rows. @param days default: all that the numbers hold */
  inAny(isOf: string, days = this.span): string {
    return this.#count((name) => `bit_or(${name}) filter (where ${isOf})`, days)
  }

  #count(sqlOf: (name: string) => string, days = this.span): string {
    const counts = this.#each((word) => {
      const within = Math.min(daysOfWord, days - word * daysOfWord)
      if (within <= 0) return '0'
      const mask = (1n << BigInt(within)) - 1n
      return `bit_count(coalesce(${sqlOf(nameOf(word))}, 0) & ${mask})::integer`
    })
    return counts.filter((count) => count !== '0').join(' + ')
  }

  #each<T>(make: (word: number) => T): T[] {
    return Array.from({ length: this.words }, (_, word) => make(word))
  }
}

function nameOf(word: number): string {
  return `days_${word}`
}
