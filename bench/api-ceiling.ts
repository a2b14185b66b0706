import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import fastify from 'fastify'

/** A process of its own that answers everything with the same text: what reads are measured against. */
export async function startCeiling(text: string): Promise<{ url: string; close(): void }> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'])
  child.send(text)
  const [url] = (await once(child, 'message')) as [string]
  return { url, close: () => void child.kill() }
}

async function serve(): Promise<void> {
  const [text] = (await once(process, 'message')) as [string]
  const app = fastify()
  app.get('/', (_, reply) => reply.type('application/json; charset=utf-8').send(text))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  process.send?.(url)
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === 'serve') await serve()
