/** The latest results of work that gives the same whenever it is done; work at hand is waited for, not done twice. */
export class Kept<T> {
  readonly #results = new Map<string, Promise<T>>()
  readonly #most: number

  /** @param most results that are kept */
  constructor(most: number) {
    this.#most = most
  }

  async get(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#results.get(key)
    if (known) return known
    const result = work()
    this.#results.set(key, result)
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= this.#most) break
      this.#results.delete(oldest)
    }
    try {
      return await result
    } catch (error) {
      this.#results.delete(key)
      throw error
    }
  }
}
