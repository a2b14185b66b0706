import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { failure } from '../domain/errors.ts'

/** What computes tensors: TensorFlow's native library where it works, WebAssembly everywhere else. */
export type Backend = 'wasm' | 'native'

/** TensorFlow.js' own names. */
const registered = { wasm: 'wasm', native: 'tensorflow' } as const

/**
 * Starts what computes tensors, once a process: network members predict only after it.
 *
 * Without a wish the native library is taken where it loads and computes, else WASM. Needs no network: the WASM
 * files lie in `node_modules`.
 *
 * One network predicts the same on both to 1e-3. Fits repeat on the same backend alone: each step of learning
 * builds on the rounding of all before it, so that the same seed ends in two networks, about as good.
 *
 * @throws LoyalcastError `backend-not-available` where `wanted` does not load.
 */
export function startBackend(wanted?: Backend): Promise<Backend> {
  // One after the other: two starts at once would load the backend twice.
  const next = lastStart.then(() => start(wanted))
  lastStart = next.catch(() => undefined)
  return next
}

let lastStart: Promise<unknown> = Promise.resolve()

async function start(wanted: Backend | undefined): Promise<Backend> {
  if (wanted === undefined) {
    return startedBackend() ?? ((await tryStart('native')) ? 'native' : start('wasm'))
  }
  if (startedBackend() === wanted || (await tryStart(wanted))) return wanted
  throw failure(
    'backend-not-available',
    `The ${wanted} backend of TensorFlow.js does not work here; ${
      wanted === 'native'
        ? 'install @tensorflow/tfjs-node (Node 20 or 22), or use wasm'
        : 'run `npm ci` again'
    }.`,
  )
}

/** The backend that was started, if one was. */
export function startedBackend(): Backend | undefined {
  const name = tf.getBackend()
  return (['native', 'wasm'] as const).find((backend) => registered[backend] === name)
}

async function tryStart(backend: Backend): Promise<boolean> {
  const before = tf.getBackend()
  try {
    return await (backend === 'native' ? startNative() : startWasm())
  } catch {
    if (before) await tf.setBackend(before)
    return false
  }
}

async function startNative(): Promise<boolean> {
  // A variable, so that types and bundlers don't ask for a package that most installations lack.
  const nativePackage: string = '@tensorflow/tfjs-node'
  await import(nativePackage)
  await tf.setBackend(registered.native)
  try {
    // From Node 23 on the package loads, but calls functions that Node has dropped in most operations.
    tf.tidy(() => tf.reshape(tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])), [4]).dataSync())
    return true
  } catch (problem) {
    tf.removeBackend(registered.native)
    throw problem
  }
}

async function startWasm(): Promise<boolean> {
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  if (tf.findBackend(registered.wasm) === null) setWasmPaths(`${dirname(main)}/`)
  const before = crashListeners.map((event) => process.listeners(event as 'uncaughtException'))
  const isStarted = await tf.setBackend(registered.wasm)
  // Emscripten takes over crashes of the whole process, with its own exit code: hand them back.
  crashListeners.forEach((event, index) => {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[index].includes(listener)) process.removeListener(event, listener)
    }
  })
  return isStarted
}

const crashListeners = ['uncaughtException', 'unhandledRejection'] as const
