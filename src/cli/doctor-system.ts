import { accessSync, constants, existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, freemem, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { endOfKey } from '../control/api-keys.ts'
import { findServerControl, serverControlPath } from '../control/server-control.ts'
import { LoyalcastError } from '../domain/errors.ts'
import { codeVersion } from '../domain/version.ts'
import { engineVersion } from '../lake/engine-version.ts'
import { startBackend } from '../model/backend.ts'

/** Below it a training or a daily run may fail. */
const leastDiskBytes = 2 ** 30
const leastMemoryBytes = 2 ** 30
/** As package.json has it. */
const oldestNode = [20, 19] as const

/** What Loyalcast runs on. */
export async function findSystem() {
  return {
    version: codeVersion,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    backend: (await startBackend()) === 'native' ? ('tfjs-node' as const) : ('wasm' as const),
    duckdb: engineVersion(),
    cpus: availableParallelism(),
    // In a container what it may take, elsewhere what the machine has.
    memory_bytes: Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem()),
    free_memory_bytes: freemem(),
  }
}

export type FoundSystem = Awaited<ReturnType<typeof findSystem>>

export function systemProblems({ node, memory_bytes }: FoundSystem): string[] {
  const [major, minor] = node.split('.').map(Number)
  const isOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])
  return [
    ...(isOld ? [`Node is ${node}; Loyalcast needs ${oldestNode.join('.')} or newer. Install one.`] : []),
    ...(memory_bytes < leastMemoryBytes
      ? [
          `There is ${gibibytes(memory_bytes)} of memory; training may need more than that. Give it at least 1 GiB.`,
        ]
      : []),
  ]
}

/** A folder that Loyalcast writes to. */
export interface FoundFolder {
  readonly path: string
  readonly is_there: boolean
  readonly is_writable: boolean
  readonly free_bytes: number
  readonly problems: readonly string[]
}

/** Looks at a folder, or at where it would be made; changes nothing. @param option that names another folder. */
export async function findFolder(path: string, option: string): Promise<FoundFolder> {
  const place = nearestFolder(path)
  const isWritable = canWrite(place)
  const { bavail, bsize } = await statfs(place)
  const free = bavail * bsize
  return {
    path,
    is_there: place === path,
    is_writable: isWritable,
    free_bytes: free,
    problems: [
      ...(isWritable
        ? []
        : [`${place} cannot be written to. Grant the rights, or give another folder with ${option}.`]),
      ...(free < leastDiskBytes
        ? [
            `Only ${gibibytes(free)} are free where ${path} lies. Free some space: a full disk stops every run.`,
          ]
        : []),
    ],
  }
}

function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The keys of the API that work, and whether they can be read at all. */
export async function findKeys(
  dataFolder: string,
  now: string,
): Promise<{ readonly path: string; readonly working_keys: number; readonly problem: string | null }> {
  const path = serverControlPath(dataFolder)
  try {
    const control = await findServerControl(dataFolder)
    const keys = (await control?.keys.list({ after: null, limit: 10_000 })) ?? []
    await control?.close()
    return { path, working_keys: keys.filter((key) => endOfKey(key, now) === null).length, problem: null }
  } catch (error) {
    if (error instanceof LoyalcastError) return { path, working_keys: 0, problem: error.message }
    throw error
  }
}

/** Such as `1.5 GiB`. */
export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
