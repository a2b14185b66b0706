import { lookup } from 'node:dns/promises'
import ipaddr from 'ipaddr.js'
import { usageError } from '../domain/errors.ts'

/** An address that a name stands for. */
export interface Resolved {
  readonly address: string
  readonly family: number
}

/** Finds the addresses of a name. */
export type ResolveName = (host: string) => Promise<readonly Resolved[]>

export interface TargetOptions {
  /** Hosts, addresses and networks (CIDR) of one's own that may be sent to, whatever they are. */
  readonly allow: readonly string[]
  /** Whether `http:` will do as well. Always where the host is allowed by name, address or network. */
  readonly isHttpAllowed: boolean
  /** @default the system's own */
  readonly resolve?: ResolveName
}

/** Longest address of a webhook. */
export const longestUrl = 2048
/** How long a name is looked up before it is taken on trust: it is looked up again when something is sent. */
const longestLookupMs = 3000
/** Ports below are other services', which could be made to misread a request. */
const firstFreePort = 1024

/** Public by its number, but answered by the cloud's own host: Azure's. */
const metadataAddresses = ['168.63.129.16']

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number]

/**
 * Decides where webhooks may be sent: to public addresses and to what the operator allows, nowhere else. Otherwise
 * whoever may add a webhook could make the server talk to what only the server can reach.
 */
export class TargetRules {
  readonly #hosts: ReadonlySet<string>
  readonly #networks: readonly Network[]
  readonly #isHttpAllowed: boolean
  readonly #resolve: ResolveName

  /** **Errors** `webhook-allow` where an entry is neither a host nor an address nor a network. */
  constructor({ allow, isHttpAllowed, resolve = resolveHere }: TargetOptions) {
    const entries = allow.map((entry) => networkOf(entry) ?? hostOf(entry))
    this.#networks = entries.filter((entry) => typeof entry === 'object')
    this.#hosts = new Set(entries.filter((entry) => typeof entry === 'string'))
    this.#isHttpAllowed = isHttpAllowed
    this.#resolve = resolve
  }

  /** Why nothing may be sent to a URL; null where it may. Looks its name up. */
  async refuse(text: string): Promise<string | null> {
    const formal = this.refuseForm(text)
    if (formal !== null) return formal
    const host = bareName(new URL(text).hostname)
    const found = ipaddr.isValid(host) ? [{ address: host }] : await this.#lookUpSoon(host)
    const refused = found.map(({ address }) => this.refuseAddress(host, address))
    return refused.find((reason) => reason !== null) ?? null
  }

  /** Why a URL may not be sent to, whatever its name means; null where it may. */
  refuseForm(text: string): string | null {
    if (text.length > longestUrl || !URL.canParse(text))
      return `is no URL of up to ${longestUrl} characters, such as https://example.com/hooks`
    const { protocol, hostname, username, password, hash, port } = new URL(text)
    const host = bareName(hostname)
    const isOwn = this.#hosts.has(host) || this.#isOwn(host)
    if (protocol !== 'https:' && !(protocol === 'http:' && (this.#isHttpAllowed || isOwn)))
      return `begins with ${protocol.slice(0, 20)}; allowed is https:`
    if (host === '') return 'names no host'
    if (username !== '' || password !== '') return 'holds a user or a password; leave them out'
    if (hash !== '') return 'ends in a fragment (#…), which is never sent; leave it out'
    if (port !== '' && !['80', '443'].includes(port) && Number(port) < firstFreePort)
      return `names port ${port}; allowed are 80, 443 and those from ${firstFreePort} on`
    return null
  }

  /** The addresses to connect to, each of which may be sent to. **Errors** where one may not, or there is none. */
  async resolve(host: string): Promise<readonly Resolved[]> {
    const found = await this.#resolve(host)
    for (const { address } of found) {
      const reason = this.refuseAddress(host, address)
      if (reason !== null) throw new RefusedTarget(reason)
    }
    if (found.length === 0) throw new Error(`${host} has no address`)
    return found
  }

  /** Why an address that a host stands for may not be connected to; null where it may. */
  refuseAddress(host: string, address: string): string | null {
    if (this.#hosts.has(bareName(host)) || this.#isOwn(address)) return null
    // The address itself is not told: it would say what a name means inside.
    return isPublic(address)
      ? null
      : 'leads to an address that is not public; the operator of this server can allow it (LOYALCAST_WEBHOOK_ALLOW)'
  }

  #isOwn(address: string): boolean {
    const parsed = parsedAddress(address)
    return this.#networks.some(
      (network) => parsed !== null && parsed.kind() === network[0].kind() && parsed.match(network),
    )
  }

  /** The addresses of a name; none where it is not known, or not soon. */
  async #lookUpSoon(host: string): Promise<readonly Resolved[]> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<readonly Resolved[]>((resolve) => {
      timer = setTimeout(() => resolve([]), longestLookupMs)
    })
    try {
      return await Promise.race([this.#resolve(host).catch(() => []), late])
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What is not connected to because the rules say so. */
export class RefusedTarget extends Error {
  override readonly name = 'RefusedTarget'
}

/** Everything that the system finds, its own names included. */
const resolveHere: ResolveName = (host) => lookup(host, { all: true })

/** A host without what surrounds it. A URL has brought it into its one form: any spelling of an IPv4 address is four numbers. */
function bareName(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
}

/** An address in its own family: IPv4 inside IPv6 is IPv4. Null where it is none. */
function parsedAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const address = bareName(text)
  return ipaddr.isValid(address) ? ipaddr.process(address) : null
}

function isPublic(text: string): boolean {
  const address = parsedAddress(text)
  if (address === null || address.range() !== 'unicast' || metadataAddresses.includes(address.toString()))
    return false
  // Outside 2000::/3 nothing is public, such as ::127.0.0.1 of old.
  return address.kind() === 'ipv4' || address.match(ipaddr.parseCIDR('2000::/3'))
}

function networkOf(entry: string): Network | null {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry)
  const address = parsedAddress(entry)
  return address === null ? null : [address, address.kind() === 'ipv4' ? 32 : 128]
}

function hostOf(entry: string): string {
  if (/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(entry))
    return entry.toLowerCase()
  throw usageError(
    'webhook-allow',
    `"${entry.slice(0, 100)}" is neither a host nor an address nor a network, such as hooks.example.com, 10.0.0.7 or 10.0.0.0/8.`,
  )
}
