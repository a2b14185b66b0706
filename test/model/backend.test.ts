import util from 'node:util'
import { describe, expect, it } from 'vitest'
import { startBackend } from '../../src/model/backend.ts'
import { fitNetwork } from '../../src/model/network-fit.ts'
import { backends } from './backends.ts'
import { leadsOf, small, world } from './network-world.ts'

const { isHere, title } = backends.find(({ backend }) => backend === 'native')!

describe.skipIf(isHere)('without the native library', () => {
  it('WASM computes, and the wish for the library is an error', async () => {
    expect(await startBackend()).toBe('wasm')
    await expect(startBackend('native')).rejects.toMatchObject({ code: 'backend-not-available' })
    expect(await startBackend()).toBe('wasm')
  })
})

describe.skipIf(!isHere)(title, () => {
  it('one network predicts the same as on WASM, to 1e-3', async () => {
    const learning = world(500, 71)
    await startBackend('wasm')
    const { member } = await fitNetwork(learning, { seed: 1, settings: small, epochs: 20 })
    const predict = () => member.predict(learning.features, leadsOf(500, 0, 90))
    const [wasm, native] = [predict(), (await startBackend('native')) && predict()]
    const pairs = [...wasm.hazards, ...wasm.answers].map(
      (said, task) => [said, [...native.hazards, ...native.answers][task]] as const,
    )
    for (const [said, other] of pairs) {
      expect(Math.max(...said.map((share, i) => Math.abs(share - other[i])))).toBeLessThan(1e-3)
    }
  })

  // The last one: a library that was found wanting stays away from this process.
  it('gives way to WASM where it loads but cannot compute', async () => {
    await startBackend('native')
    // What Node 23 and later lack.
    Object.assign(util, { isNullOrUndefined: undefined })
    await startBackend('wasm')
    await expect(startBackend('native')).rejects.toMatchObject({ code: 'backend-not-available' })
    expect(await startBackend()).toBe('wasm')
    expect((await fitNetwork(world(300, 72), { seed: 1, settings: small, epochs: 1 })).trace.epochs).toBe(1)
  })
})
