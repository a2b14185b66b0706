import { afterEach, expect, it, vi } from 'vitest'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { serveMade } from '../api/served.ts'
import { startReceiver, verified } from '../engage/receiver.ts'
import { makeProgram } from '../programs.ts'
import { type Finished, loyalcastHere } from './commands.ts'

afterEach(() => vi.unstubAllEnvs())

it('webhooks are added, tried, looked at and removed by the command line, and served', async () => {
  const made = await makeProgram({ yaml: madeYaml })
  vi.stubEnv('LOYALCAST_WEBHOOK_ALLOW', '127.0.0.1')
  vi.stubEnv('LOYALCAST_NOW', '2026-11-20T12:00:00Z')
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  const run = (...args: string[]): Promise<Finished> =>
    loyalcastHere(['webhooks', made.path, ...args, ...folders])
  const read = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args, '--json')
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout)
  }
  const receiver = await startReceiver()
  expect((await run()).stderr).toMatch(/has no webhooks: .*add URL/)
  await publishDay(made, '2026-10-01', [madeRow('a')])
  const { id, secret } = await read('add', receiver.url, '--events', 'prediction.day_ready')
  expect((await run('list')).stderr).toContain(`${id}  ${receiver.url}/  prediction.day_ready`)
  const { message_id } = await read('test', id)
  await publishDay(made, '2026-10-02', [madeRow('a')])
  const served = await serveMade(made)
  await receiver.first(2)
  await served.close()
  const sent = receiver.received.map((one) => verified(secret, one) as { type: string; data: object })
  expect(sent.map(({ type }) => type).sort()).toEqual(['ping', 'prediction.day_ready'])
  expect(sent.find(({ type }) => type !== 'ping')).toMatchObject({ data: { date: '2026-10-02' } })
  expect((await run('deliveries', id)).stderr).toContain(`${message_id}  ping  delivered after 1 try`)
  expect(await read('remove', id)).toEqual({ removed: id })
  expect((await read('list')).webhooks).toEqual([])
  for (const [args, words] of [
    [['add'], /needs the address/],
    [['add', 'https://10.0.0.1/'], /leads to an address that is not public/],
    [['add', receiver.url, '--events', 'day'], /--events names day; there are: \*, prediction/],
    [['remove', id], /has no webhook/],
    [['send'], /the action is one of list, add, remove, test, deliveries/],
  ] as const)
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(words) })
})
