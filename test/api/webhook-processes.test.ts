import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { loyalcast } from '../cli/commands.ts'
import { startReceiver, verified } from '../engage/receiver.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { key, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
})
afterAll(() => made.remove())

/** Serves in a process of its own until that is killed. @param work is told where it serves */
async function whileServing(work: (url: string, child: ChildProcess) => Promise<void>): Promise<void> {
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  let heard = ''
  let working: Promise<void> | null = null
  await loyalcast(['serve', made.path, ...folders, '--port', '0', '--json'], {
    environment: { LOYALCAST_API_KEY: key, LOYALCAST_WEBHOOK_ALLOW: '127.0.0.1' },
    onStderr: (text, child) => {
      heard += text
      const url = /Server listening at (http:[^"]+)/.exec(heard)?.[1]
      if (url !== undefined) working ??= work(url, child)
    },
  })
  await working
}

it('what a killed server was sending, and what happened since, is sent by the next one', async () => {
  const receiver = await startReceiver(() => {})
  let secret = ''
  await whileServing(async (url, child) => {
    const answer = await fetch(`${url}/v1/programs/test/webhooks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ url: receiver.url, event_types: ['prediction.day_ready'] }),
    })
    expect(answer.status).toBe(201)
    ;({ secret } = (await answer.json()) as { secret: string })
    await publishDay(made, '2026-10-01', [madeRow('a')])
    await receiver.first(1)
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  await publishDay(made, '2026-10-02', [madeRow('a')])
  receiver.reply = 204
  const next = await serveMade(made)
  const all = await receiver.first(3)
  await next.close()
  const again = all.slice(1)
  const dates = again.map((one) => (verified(secret, one) as { data: { date: string } }).data.date)
  expect(dates.sort()).toEqual(['2026-10-01', '2026-10-02'])
  const ids = all.map(({ headers }) => headers['webhook-id'])
  expect(new Set(ids).size).toBe(2)
  expect(ids.slice(1)).toContain(ids[0])
  expect(receiver.received).toHaveLength(3)
})

it('a server that stops breaks off what takes too long, and the next one sends it', async () => {
  const other = await makeLastingProgram({ yaml: madeYaml })
  const receiver = await startReceiver(() => {})
  const first = await serveMade(other)
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ url: receiver.url })
  const path = '/v1/programs/test/webhooks'
  const { body: webhook } = await first.ask(path, { method: 'POST', headers, body })
  await first.ask(`${path}/${webhook.id}/test`, { method: 'POST' })
  await receiver.first(1)
  await first.close()
  const next = await serveMade(other)
  receiver.reply = 204
  const [before, after] = await receiver.first(2)
  expect(after.headers['webhook-id']).toBe(before.headers['webhook-id'])
  const at = `${path}/${webhook.id}/deliveries/${before.headers['webhook-id']}`
  await vi.waitFor(async () => expect(await next.read(at)).toMatchObject({ status: 'delivered', tries: 1 }))
  await next.close()
  await other.remove()
})
