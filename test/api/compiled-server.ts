import { join } from 'node:path'
import type { startServer } from '../../src/api/server.ts'

const root = join(import.meta.dirname, '../..')

/** The server as it is installed, which answers questions in threads: those can load JavaScript alone. */
export async function compiledServer(): Promise<typeof startServer> {
  return (await import(join(root, 'dist/src/api/server.js'))).startServer
}
