import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { failure, usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { startBackend } from './backend.ts'
import { restoreLogistic } from './logistic-member.ts'
import type { Member, StoredMember } from './member.ts'
import { restoreNetwork } from './network-member.ts'
import { Predictor, type PredictorParts, type SeatedMember } from './predictor.ts'
import { Registry } from './registry.ts'
import { restoreTrees } from './trees-member.ts'

/** Raised when a stored predictor means something else than before. */
const format = 1

const restorers: Readonly<Record<string, (stored: StoredMember) => Member>> = {
  logistic: restoreLogistic,
  network: restoreNetwork,
  trees: restoreTrees,
}

interface StoredSeat extends Pick<SeatedMember, 'name' | 'view'> {
  readonly kind: string
  readonly description: StoredMember['description']
  /** Name → first number and how many, in `members.bin`. */
  readonly arrays: Readonly<Record<string, readonly [start: number, length: number]>>
}

/** A predictor as two files: everything readable as JSON, and the members' numbers (little-endian float32). */
export function storePredictor(parts: PredictorParts): {
  'predictor.json': string
  'members.bin': Uint8Array
} {
  const numbers: Float32Array[] = []
  let length = 0
  const seats = parts.members.map(({ name, view, member }): StoredSeat => {
    const { kind, description, arrays } = member.store()
    const places: Record<string, [number, number]> = {}
    for (const [array, values] of Object.entries(arrays)) {
      places[array] = [length, values.length]
      numbers.push(values)
      length += values.length
    }
    return { name, view, kind, description, arrays: places }
  })
  const all = new Float32Array(length)
  let start = 0
  for (const values of numbers) {
    all.set(values, start)
    start += values.length
  }
  const json = JSON.stringify({ format, ...parts, members: seats }, null, 1)
  return { 'predictor.json': `${json}\n`, 'members.bin': new Uint8Array(all.buffer) }
}

/** Loads a version's predictor. Starts the TensorFlow.js backend where a member needs it. */
export async function loadPredictor(folder: string): Promise<Predictor> {
  const stored = JSON.parse(await readFile(join(folder, 'predictor.json'), 'utf8'))
  if (stored.format !== format) {
    throw failure(
      'predictor-format',
      `${folder} was written by another version of Loyalcast (format ${stored.format}, not ${format}). Train again.`,
    )
  }
  const bytes = await readFile(join(folder, 'members.bin'))
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  const seats = stored.members as StoredSeat[]
  if (seats.some(({ kind }) => kind === 'network')) await startBackend()
  const members = seats.map(({ name, view, kind, description, arrays }): SeatedMember => {
    const restored = Object.entries(arrays).map(([array, [start, length]]) => [
      array,
      all.slice(start, start + length),
    ])
    return {
      name,
      view,
      member: restorers[kind]({ kind, description, arrays: Object.fromEntries(restored) }),
    }
  })
  return new Predictor({ ...stored, members })
}

/** Names of the leaks that a version left out, without loading its members. */
export async function readExcluded(folder: string): Promise<readonly string[]> {
  const stored = JSON.parse(await readFile(join(folder, 'predictor.json'), 'utf8'))
  return (stored as Pick<PredictorParts, 'excluded'>).excluded
}

/** The version that serves a program, ready to predict. */
export async function loadChampion(
  modelsFolder: string,
  program: Pick<Program, 'name'>,
): Promise<{ predictor: Predictor; version: string }> {
  const registry = new Registry(modelsFolder, program.name)
  const version = await registry.champion()
  if (version === null)
    throw usageError('no-model', `${program.name} has no model yet. Run loyalcast train first.`)
  await registry.requireVersion(version)
  return { predictor: await loadPredictor(registry.folderOf(version)), version }
}
