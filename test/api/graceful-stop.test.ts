import type { ChildProcess } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServerControl } from '../../src/control/server-control.ts'
import { loyalcast } from '../cli/commands.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { key, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('a')])
})
afterAll(() => made.remove())

/** A busy machine may take long for it. */
const patience = { timeout: 60_000 }

const body = JSON.stringify({ name: 'begun before the end', role: 'reader' })
const head = `POST /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`

/** A connection on which text is sent and heard piece by piece. */
async function dial(url: string) {
  const { hostname, port } = new URL(url)
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opened = connect({ host: hostname, port: Number(port) }, () => resolve(opened)).on('error', reject)
  })
  let heard = ''
  socket.setEncoding('utf8').on('data', (text) => {
    heard += text
  })
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(heard)))
  /** Resolves with all that was heard once it holds some words. */
  const until = (words: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => heard.includes(words) && resolve(heard)
      socket.on('data', look).on('close', () => reject(new Error(`closed after ${heard}`)))
      look()
    })
  return { socket, ended, until }
}

/** Runs a server until it ends; `act` is told its address once it listens. */
async function serving(
  environment: Readonly<Record<string, string>>,
  act: (url: string, child: ChildProcess, stopping: Promise<void>) => Promise<void>,
) {
  let heard = ''
  let acting: Promise<void> | null = null
  let say = () => {}
  const stopping = new Promise<void>((resolve) => {
    say = resolve
  })
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  const finished = await loyalcast(['serve', made.path, ...folders, '--port', '0'], {
    environment: { LOYALCAST_API_KEY: key, ...environment },
    onStderr: (text, child) => {
      heard += text
      const url = /Server listening at (http:[^"]+)/.exec(heard)?.[1]
      if (url !== undefined) acting ??= act(url, child, stopping)
      if (heard.includes('"msg":"stopping"')) say()
    },
  })
  await acting
  return finished
}

describe('a server that is stopped', () => {
  it('ends the requests at hand, refuses new ones with 503, and then ends with code 0', async () => {
    const { code, stderr } = await serving({}, async (url, child, stopping) => {
      const begun = await dial(url)
      const kept = await dial(url)
      begun.socket.write(head + body.slice(0, 5))
      kept.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await kept.until('"status":"ok"')
      child.kill('SIGTERM')
      await stopping
      kept.socket.write('GET /v1/programs HTTP/1.1\r\nHost: x\r\n\r\n')
      const refused = (await kept.ended).split('HTTP/1.1 ')[2]
      expect(refused).toMatch(/^503 /)
      expect(refused).toMatch(/connection: close\r\n/i)
      expect(refused).toMatch(/retry-after: \d+\r\n/i)
      expect(JSON.parse(refused.split('\r\n\r\n')[1])).toMatchObject({
        ...{ type: 'urn:loyalcast:problem:unavailable', status: 503, instance: '/v1/programs' },
        detail: 'The server is being stopped and takes no new requests.',
      })
      begun.socket.write(body.slice(5))
      const answered = await begun.ended
      expect(answered).toMatch(/^HTTP\/1\.1 201 /)
      expect(answered).toMatch(/connection: close\r\n/i)
    })
    expect(code).toBe(0)
    expect(stderr).toContain('"route":"/v1/keys","status":201')
    const control = await openServerControl(made.dataFolder)
    const [{ name }] = await control.keys.list({ after: null, limit: 1 })
    const [entry] = await control.audit.list({ after: null, limit: 1 }, { programs: null, since: null })
    await control.close()
    expect([name, entry.route, entry.status]).toEqual(['begun before the end', '/v1/keys', 201])
  })

  it('does not wait for ever: what takes longer than it may is cut off', async () => {
    const { code } = await serving({ LOYALCAST_STOP_SECONDS: '0' }, async (url, child) => {
      const begun = await dial(url)
      begun.socket.write(head + body.slice(0, 5))
      const idle = await dial(url)
      idle.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      await idle.until('"status":"ok"')
      child.kill('SIGINT')
      expect(await begun.ended).toBe('')
    })
    expect(code).toBe(0)
  })

  it('notes a write whose client has left in the middle', async () => {
    const served = await serveMade(made)
    try {
      const begun = await dial(served.url)
      begun.socket.write(head + body.slice(0, 5))
      const atHand = 'loyalcast_http_requests_in_flight 2'
      await expect.poll(async () => (await served.ask('/metrics')).text, patience).toContain(atHand)
      begun.socket.destroy()
      const latest = async () => (await served.read('/v1/audit?limit=1')).entries[0]
      await expect.poll(latest, patience).toMatchObject({ method: 'POST', route: '/v1/keys', status: 499 })
    } finally {
      await served.close()
    }
  })
})
