import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CommandOptions, type Finished, loyalcast } from './commands.ts'

describe('loyalcast demo', () => {
  let folder: string
  const demo = (args: readonly string[], options: CommandOptions = {}): Promise<Finished> => {
    const folders = ['--data', join(folder, 'data'), '--models', join(folder, 'models')]
    return loyalcast(['demo', '--customers', '400', '--days', '200', ...folders, ...args], options)
  }
  let first: Finished

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loyalcast-demo-'))
    first = await demo(['--no-serve', '--json'])
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('simulates, reads, learns from what came before and predicts the last 30 days', () => {
    expect(first.code, first.stderr).toBe(0)
    expect(JSON.parse(first.stdout)).toMatchObject({
      firstDate: '2026-10-21',
      lastDate: '2026-11-19',
      modelVersion: '2026-10-20-1',
    })
    expect(first.stderr).toMatch(/1\/4 Simulating.*2\/4 .*3\/4 Learning.*4\/4 Predicting/s)
    // What it learned ends before the first day that it predicts.
    expect(first.stderr).not.toContain('no fair test')
  })

  it('takes up what is there, prints address and key, and serves with that key alone', async () => {
    const answers: { status: number; body: { program?: string } }[] = []
    const again = await demo(['--port', '0'], {
      onStderr: async (text, child) => {
        const url = /Page\s+(http:\S+)\/#key=(\S+)/.exec(text)
        if (!url) return
        for (const key of [url[2], 'a-wrong-key-of-some-length']) {
          const response = await fetch(`${url[1]}/v1/programs/simulated-company/summary`, {
            headers: { authorization: `Bearer ${key}` },
          })
          answers.push({ status: response.status, body: (await response.json()) as { program?: string } })
        }
        child.kill('SIGTERM')
      },
    })
    expect(again.code, again.stderr).toBe(0)
    expect(again.stderr).not.toMatch(/Simulating|Learning|Predicting/)
    expect(answers.map(({ status }) => status)).toEqual([200, 401])
    expect(answers[0].body.program).toBe('simulated-company')
  })

  it('refuses a company of another size where one is, and says what is there', async () => {
    const other = await demo(['--customers', '500', '--no-serve'])
    expect(other.code).toBe(2)
    expect(other.stderr).toContain('holds a company of 400 customers')
  })

  it('says that a port is taken before it works for minutes', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const taken = await demo(['--port', String(port)])
    server.close()
    expect(taken.code).toBe(1)
    expect(taken.stderr).toBe(
      `Port ${port} of 127.0.0.1 is taken by another process. Stop that one, or choose another with --port.\n`,
    )
  })
})
