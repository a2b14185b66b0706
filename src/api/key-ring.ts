import { type ApiKeys, endOfKey, hashOfKey, idOfKey, isSameHash } from '../control/api-keys.ts'
import type { Caller } from './caller.ts'

export interface KeyRingOptions {
  /** A key with every right that is kept nowhere; null: there is none. */
  readonly environmentKey: string | null
  readonly keys: ApiKeys
  /** ISO 8601. */
  readonly clock: () => string
  /** Hears why a last use could not be noted. */
  readonly onError: (error: unknown) => void
}

/** For so long a key is not looked up again, in milliseconds: then what another process revoked is refused. */
export const longestTrustMs = 5_000
/** Keys that are remembered; whoever uses more looks some of them up each time. */
const mostKnown = 10_000
/** How often the last use of a key is written, in milliseconds. */
const useStepMs = 60_000
/** How long uses are collected before they are written, in milliseconds. */
const collectMs = 1_000

interface KnownKey {
  readonly hash: Buffer
  readonly caller: Caller
  readonly revokedAt: string | null
  readonly expiresAt: string | null
  readonly lookedUpMs: number
}

/** Tells who a key belongs to. Keys are remembered for some seconds, so that most requests are answered without the disk. */
export class KeyRing {
  readonly #options: KeyRingOptions
  readonly #environmentHash: Buffer | null
  readonly #known = new Map<string, KnownKey>()
  readonly #notedMs = new Map<string, number>()
  #uses = new Map<string, string>()
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  constructor(options: KeyRingOptions) {
    this.#options = options
    this.#environmentHash = options.environmentKey === null ? null : hashOfKey(options.environmentKey)
  }

  /** The caller; or why the key is refused, to follow "The key". */
  async check(key: string): Promise<Caller | string> {
    const hash = hashOfKey(key)
    if (this.#environmentHash !== null && isSameHash(hash, this.#environmentHash)) return environmentCaller
    const id = idOfKey(key)
    const now = this.#options.clock()
    const known = id === null ? null : await this.#find(id, Date.parse(now))
    if (known === null || !isSameHash(hash, known.hash)) return 'is not known.'
    const end = endOfKey(known, now)
    if (end !== null) return `${end}.`
    this.#noteUse(known.caller.keyId, now)
    return known.caller
  }

  /** Looks a key up anew when it is used next. */
  forget(id: string): void {
    this.#known.delete(id)
  }

  /** Writes what is not written yet. The control state must still be open. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#writeUses()
  }

  async #find(id: string, nowMs: number): Promise<KnownKey | null> {
    const known = this.#known.get(id)
    const age = known && nowMs - known.lookedUpMs
    if (age !== undefined && age >= 0 && age < longestTrustMs) return known as KnownKey
    this.#known.delete(id)
    const found = await this.#options.keys.find(id)
    // Ids that nobody has are not remembered: there is no end of them.
    if (found === null) return null
    const { name, role, programs, hash, revokedAt, expiresAt } = found
    const caller: Caller = { keyId: id, name, role, programs }
    const fresh = { hash, caller, revokedAt, expiresAt, lookedUpMs: nowMs }
    this.#known.set(id, fresh)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostKnown) break
      this.#known.delete(oldest)
      this.#notedMs.delete(oldest)
    }
    return fresh
  }

  #noteUse(id: string, now: string): void {
    const nowMs = Date.parse(now)
    const noted = this.#notedMs.get(id)
    if (noted !== undefined && nowMs - noted < useStepMs) return
    this.#notedMs.set(id, nowMs)
    this.#uses.set(id, now)
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.#writeUses()
    }, collectMs).unref()
  }

  #writeUses(): Promise<void> {
    const uses = this.#uses
    if (uses.size === 0) return this.#writing
    this.#uses = new Map()
    this.#writing = this.#writing.then(() => this.#options.keys.noteUses(uses)).catch(this.#options.onError)
    return this.#writing
  }
}

const environmentCaller: Caller = {
  keyId: 'environment',
  name: 'environment',
  role: 'admin',
  programs: null,
}
