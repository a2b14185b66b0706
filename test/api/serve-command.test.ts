import type { ChildProcess } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openServerControl } from '../../src/control/server-control.ts'
import { loyalcast, loyalcastHere } from '../cli/commands.ts'
import { makeLastingProgram } from '../programs.ts'
import { importGraph, readSources } from '../source-rules.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { key, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('a')])
})
afterAll(() => made.remove())
afterEach(() => vi.unstubAllEnvs())

const folders = () => ['--data', made.dataFolder, '--models', made.modelsFolder]

describe('loyalcast serve', () => {
  it.each([
    ['no key', '', [], /LOYALCAST_API_KEY is not set\. Set it to a secret of at least 16/],
    ['a short key', 's3cret', [], /LOYALCAST_API_KEY is too short .* at least 16/],
    ['a key that no header can hold', 'sixteen letters and more', [], /without spaces/],
    [
      'a port that is none',
      key,
      ['--port', '99999'],
      /--port is 99999; it is a whole number from 0 to 65535/,
    ],
  ])('refuses %s in one sentence, with code 2', async (_, given, more, words) => {
    vi.stubEnv('LOYALCAST_API_KEY', given)
    const { code, stdout, stderr } = await loyalcastHere(['serve', made.path, ...folders(), ...more])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(words)
    expect(stderr.trimEnd()).not.toContain('\n')
    if (given !== '') expect(stderr).not.toContain(given)
  })

  it('names a setting that is wrong, its value and what is allowed', async () => {
    vi.stubEnv('LOYALCAST_API_KEY', key)
    vi.stubEnv('LOYALCAST_RATE_LIMIT', 'lots')
    const { code, stderr } = await loyalcastHere(['serve', made.path, ...folders()])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^LOYALCAST_RATE_LIMIT is "lots"; it is a whole number from 0 to 1000000/),
    ])
  })

  it('needs no key in the environment where one was made that works', async () => {
    vi.stubEnv('LOYALCAST_API_KEY', '')
    const busy = await serveMade(made)
    const { port } = new URL(busy.url)
    const control = await openServerControl(made.dataFolder)
    const record = { id: 'made', name: 'x', role: 'reader', programs: null, createdAt: '2026-01-01' } as const
    await control.keys.create({ ...record, expiresAt: null, secret: 'x'.repeat(43) })
    const serve = () => loyalcastHere(['serve', made.path, ...folders(), '--port', port])
    expect((await serve()).stderr).toMatch(/^Port \d+ of 127\.0\.0\.1 is taken/)
    await control.keys.revoke('made', '2026-01-02T00:00:00Z')
    expect((await serve()).stderr).toMatch(/LOYALCAST_API_KEY is not set\..*or make keys with loyalcast keys/)
    await control.close()
    await busy.close()
  })

  it('refuses two programs of one name', async () => {
    vi.stubEnv('LOYALCAST_API_KEY', key)
    const { code, stderr } = await loyalcastHere(['serve', made.path, made.folder, ...folders()])
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/are called test; each needs a name of its own/),
    ])
  })

  it('says in one sentence, with code 1, where it cannot listen', async () => {
    vi.stubEnv('LOYALCAST_API_KEY', key)
    const busy = await serveMade(made)
    const { port } = new URL(busy.url)
    const taken = await loyalcastHere(['serve', made.path, ...folders(), '--port', port])
    await busy.close()
    expect(taken).toMatchObject({
      code: 1,
      stderr: `Port ${port} of 127.0.0.1 is taken by another process. Stop that one, or choose another with --port.\n`,
    })
    const away = await loyalcastHere(['serve', made.path, ...folders(), '--port', '0', '--host', '192.0.2.1'])
    expect(away).toMatchObject({
      code: 1,
      stderr: '192.0.2.1 is no address of this machine. Choose another with --host.\n',
    })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'serves until %s and then ends with code 0, and never says the key',
    async (signal) => {
      let heard = ''
      let stopped: Promise<void> | null = null
      const stop = async (url: string, child: ChildProcess) => {
        const answer = await fetch(`${url}/v1/programs`, { headers: { authorization: `Bearer ${key}` } })
        expect(answer.status).toBe(200)
        child.kill(signal)
      }
      const { code, stdout, stderr } = await loyalcast(
        ['serve', made.path, ...folders(), '--port', '0', '--json'],
        {
          environment: { LOYALCAST_API_KEY: key },
          onStderr: (text, child) => {
            heard += text
            const url = /Server listening at (http:[^"]+)/.exec(heard)?.[1]
            if (url !== undefined) stopped ??= stop(url, child)
          },
        },
      )
      await stopped
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toEqual({
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        programs: ['test'],
      })
      expect(stderr).toContain('"route":"/v1/programs","status":200')
      expect(stderr).not.toContain(key)
    },
  )
})

describe('the server', () => {
  it('loads neither training nor TensorFlow', () => {
    const root = `${import.meta.dirname}/../..`
    const sources = readSources(root, ['src', 'training'])
    const graph = importGraph(sources)
    const reached = new Set<string>()
    const visit = (path: string) => {
      if (reached.has(path)) return
      reached.add(path)
      for (const next of graph.get(path) ?? []) visit(next)
    }
    visit('src/cli/serve.ts')
    expect(reached).toContain('src/lake/database.ts')
    expect([...reached].filter((path) => path.startsWith('training/'))).toEqual([])
    expect([...reached].filter((path) => /from '@tensorflow/.test(sources.get(path) ?? ''))).toEqual([])
  })
})
