import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** A Redis of its own, which remembers nothing once it is killed. */
export interface RedisProcess {
  readonly url: string
  /** Kills it, and starts an empty one at the same address. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function startRedis(): Promise<RedisProcess> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const url = `redis://127.0.0.1:${port}`
  const start = async () => {
    const command = process.env.REDIS_SERVER_PATH ?? 'redis-server'
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    const child = spawn(command, settings, { stdio: 'ignore' })
    const redis = new Redis(url, { maxRetriesPerRequest: null })
    redis.on('error', () => {})
    await redis.ping()
    redis.disconnect()
    return child
  }
  let child = await start()
  const kill = async () => {
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
  return {
    url,
    restart: async () => {
      await kill()
      child = await start()
    },
    stop: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
