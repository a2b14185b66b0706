import type { Operation } from './document.ts'

/** What earlier answers held that requests can be made of: ids, cursors, tags. */
export class Known {
  readonly #values = new Map<string, Set<string>>()
  /** Path with its parameters → where things of its kind were made. */
  readonly #addresses = new Map<string, string[]>()
  readonly #tags = new Map<string, string>()
  readonly #paths: readonly string[]

  constructor(operations: readonly Operation[], first: Readonly<Record<string, readonly string[]>>) {
    this.#paths = operations.map(({ path }) => path)
    for (const [name, values] of Object.entries(first)) for (const value of values) this.#add(name, value)
  }

  /** The text of a parameter. */
  resolve(name: string, part: { readonly text: string } | { readonly place: number }): string {
    if ('text' in part) return part.text
    const values = [...(this.#values.get(name) ?? [])]
    return values.length === 0 ? 'nobody' : values[part.place % values.length]
  }

  /** Where something of its kind was made, now and then; ids that were learned apart seldom belong together. */
  madeAt(path: string, place: number): string | null {
    const addresses = this.#addresses.get(path) ?? []
    return place % 2 === 0 ? (addresses[(place / 2) % addresses.length] ?? null) : null
  }

  /** Puts the tag of an earlier answer where one is wished for. */
  withTag(headers: Readonly<Record<string, string>>, path: string): Readonly<Record<string, string>> {
    if (headers['if-none-match'] !== 'earlier') return headers
    return { ...headers, 'if-none-match': this.#tags.get(path) ?? 'none' }
  }

  /** Notes what an answer holds. */
  learn(path: string, headers: Readonly<Record<string, unknown>>, body: unknown): void {
    if (typeof headers.etag === 'string') this.#tags.set(path, headers.etag)
    for (const name of ['loyalcast-cursor', 'loyalcast-next-cursor'])
      if (typeof headers[name] === 'string') this.#add('cursor', headers[name])
    if (typeof headers.location === 'string') this.#learnAddress(headers.location)
    const idName = this.#paths
      .map((other) =>
        other.startsWith(`${path}/{`) ? /^\{(\w+)\}$/.exec(other.slice(path.length + 1)) : null,
      )
      .find((found) => found !== null)?.[1]
    this.#look(body, idName)
  }

  /** Ids in the address of what was made. */
  #learnAddress(address: string): void {
    const parts = address.split('/')
    const template = this.#paths
      .map((path) => path.split('/'))
      .find(
        (own) =>
          own.length === parts.length && own.every((part, at) => /^\{/.test(part) || part === parts[at]),
      )
    if (template === undefined) return
    const path = template.join('/')
    this.#addresses.set(path, [...(this.#addresses.get(path) ?? []), address].slice(-100))
    for (const [at, part] of template.entries())
      if (/_id\}$/.test(part)) this.#add(part.slice(1, -1), decodeURIComponent(parts[at]))
  }

  #look(value: unknown, idName: string | undefined): void {
    if (value === null || typeof value !== 'object') return
    for (const [name, one] of Object.entries(value)) {
      if (typeof one !== 'string') this.#look(one, idName)
      else if (name === 'id' && idName !== undefined) this.#add(idName, one)
      else if (/^(\w+_id|next_cursor|date)$/.test(name))
        this.#add(name === 'next_cursor' ? 'cursor' : name, one)
    }
  }

  /** The latest hundred of each are enough. */
  #add(name: string, value: string): void {
    const values = this.#values.get(name) ?? new Set()
    values.delete(value)
    values.add(value)
    if (values.size > 100) values.delete([...values][0])
    this.#values.set(name, values)
  }
}
