import { type Backend, startBackend } from '../../src/model/backend.ts'

const isNativeHere = await startBackend('native').then(
  () => true,
  () => false,
)

/** What tests of networks run on. Nothing may need the native library: where it is missing, the title says so. */
export const backends: readonly { backend: Backend; isHere: boolean; title: string }[] = [
  { backend: 'wasm', isHere: true, title: 'on WASM' },
  {
    backend: 'native',
    isHere: isNativeHere,
    title: `on the native library${isNativeHere ? '' : ' (not here: see test/native/README.md)'}`,
  },
]
