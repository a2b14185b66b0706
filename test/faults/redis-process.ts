import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** A Redis of its own, which writes down all that it is told. */
export interface RedisProcess {
  readonly url: string
  /** Kills it, and starts one at the same address: an empty one, unless it `remembers`. */
  restart(options?: { remembers: boolean }): Promise<void>
  /** Lets it answer nobody for so long. */
  pause(milliseconds: number): Promise<void>
  /** Kills it for good. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startRedis(): Promise<RedisProcess> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const url = `redis://127.0.0.1:${port}`
  const start = async () => {
    const command = process.env.REDIS_SERVER_PATH ?? 'redis-server'
    const kept = ['--dir', folder, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    const child = spawn(command, ['--port', String(port), '--bind', '127.0.0.1', ...kept], {
      stdio: 'ignore',
    })
    const redis = new Redis(url, { maxRetriesPerRequest: null })
    redis.on('error', () => {})
    await redis.ping()
    redis.disconnect()
    return child
  }
  let child = await start()
  const kill = async () => {
    if (child.signalCode !== null) return
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
  const forget = () => rm(join(folder, 'appendonlydir'), { recursive: true, force: true })
  return {
    url,
    kill,
    restart: async ({ remembers } = { remembers: false }) => {
      await kill()
      if (!remembers) await forget()
      child = await start()
    },
    pause: async (milliseconds) => {
      child.kill('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      child.kill('SIGCONT')
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
