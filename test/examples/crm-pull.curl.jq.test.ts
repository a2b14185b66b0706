import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { key, type Served, serveMade } from '../api/served.ts'
import { type CuttingProxy, openCuttingProxy } from '../cutting-proxy.ts'
import { makeLastingProgram } from '../programs.ts'

const script = join(import.meta.dirname, '../../examples/crm-pull/pull.sh')
const curl = process.env.CURL_PATH ?? findCommand('curl')
const jq = process.env.JQ_PATH ?? 'jq'
const missing = [curl, jq].filter((program) => spawnSync(program, ['--version']).status !== 0)
if (missing.length > 0)
  console.warn(`The example examples/crm-pull is not tried: ${missing.join(' and ')} cannot be run.`)

/** Where a command lies. */
function findCommand(name: string): string {
  return (
    spawnSync('sh', ['-c', `command -v ${name}`])
      .stdout.toString()
      .trim() || name
  )
}

/** Ids that must be escaped in an address and in JSON, and figures that do not pack well. */
const rowsOf = (churn: (n: number) => number, count = 1500) =>
  Array.from({ length: count }, (_, n) =>
    madeRow(`c/${String(n).padStart(4, '0')} "é&`, {
      churn_90: churn(n),
      value_at_risk: Math.round(((n * 48271) % 65537) * 13.37) / 100,
      nps_score: ((n * 7919) % 10007) / 1000.7,
    }),
  )

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let proxy: CuttingProxy
let folder: string
let tools: string
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(
    made,
    '2026-10-01',
    rowsOf(() => 0.2),
  )
  served = await serveMade(made)
  proxy = await openCuttingProxy(served.url)
  tools = await mkdtemp(join(tmpdir(), 'loyalcast-tools-'))
  // What anybody on the machine can see of curl.
  const told = `#!/bin/sh\necho "$*" >> "${tools}/seen"\nexec ${curl} "$@"\n`
  await writeFile(join(tools, 'curl'), told, { mode: 0o755 })
  if (process.env.JQ_PATH) await symlink(jq, join(tools, 'jq'))
})
afterAll(async () => {
  await proxy.close()
  await served.close()
  await made.remove()
  await rm(tools, { recursive: true })
})
beforeEach(async () => {
  proxy.requests.length = 0
  proxy.mishaps.length = 0
  folder = await mkdtemp(join(tmpdir(), 'loyalcast-crm-'))
  return () => rm(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the script as cron would. */
function start(environment: Record<string, string> = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const own = { LOYALCAST_API_KEY: key, PROGRAM: 'test', API_URL: proxy.url, OUT: folder, FIRST_WAIT: '0' }
  const PATH = `${tools}:${process.env.PATH}`
  const child = spawn('sh', [script], { env: { PATH, ...own, ...environment }, detached: true })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (text: string) => (said[name] += text))
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...said })))
  return { child, ended }
}
const pull = (environment?: Record<string, string>) => start(environment).ended

/** Starts the script and kills all of it once rows came, where nothing comes any more. */
async function killAmidRows(environment?: Record<string, string>): Promise<void> {
  const { child, ended } = start(environment)
  const part = join(folder, '.pull/plain/part')
  await vi.waitFor(async () => expect((await stat(part)).size).toBeGreaterThan(0), { timeout: 60_000 })
  process.kill(-(child.pid as number), 'SIGKILL')
  expect((await ended).code).toBe(null)
}

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const read = (name: string) => readFile(join(folder, name), 'utf8')
const whole = async (query = '') =>
  (await served.ask(`/v1/programs/test/predictions.${query || 'ndjson'}`)).text

describe.skipIf(missing.length > 0)('the morning pull of examples/crm-pull', () => {
  it('brings the whole day though it is told to wait and cut off twice in the middle of a row', async () => {
    const later =
      'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    proxy.mishaps.push({ says: later }, { cutAfter: 20_000 }, { cutAfter: 15_001 })
    const { code, stdout, stderr } = await pull()
    expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/^2026-10-01: 1500 lines in /)])
    expect(stderr).toMatch(/status 503: again in 1 s/)
    expect(await read('predictions.ndjson')).toBe(await whole())
    expect(proxy.requests).toHaveLength(4)
    const [, , second, third] = proxy.requests.map((line) => /after=(\S*)/.exec(line)?.[1])
    expect(second).toMatch(/^c%2F\d{4}%20%22%C3%A9%26$/)
    expect((third ?? '') > (second ?? '')).toBe(true)
  })

  it('says that nothing is new where nothing is', async () => {
    await pull()
    const before = await read('predictions.ndjson')
    const again = await pull()
    expect(again).toMatchObject({ code: 0, stdout: 'nothing new\n', stderr: '' })
    expect(await read('predictions.ndjson')).toBe(before)
    expect(proxy.requests).toHaveLength(2)
  })

  it('goes on where a run was killed, and then knows that it has everything', async () => {
    proxy.mishaps.push({ stallAfter: 20_000 })
    await killAmidRows()
    expect(await readdir(folder)).toEqual(['.pull'])
    expect(await pull()).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^Going on behind line \d+\.$/m),
    })
    expect(await read('predictions.ndjson')).toBe(await whole())
    expect((await pull()).stdout).toBe('nothing new\n')
  })

  it('begins anew where a later day has landed since a run was killed', async () => {
    const { program, dataFolder, modelsFolder, remove } = await makeLastingProgram({ yaml: madeYaml })
    onTestFinished(remove)
    await publishDay(
      { program, dataFolder },
      '2026-10-01',
      rowsOf(() => 0.2),
    )
    const other = await serveMade({ program, dataFolder, modelsFolder })
    onTestFinished(() => other.close())
    const between = await openCuttingProxy(other.url)
    onTestFinished(() => between.close())
    between.mishaps.push({ stallAfter: 20_000 })
    await killAmidRows({ API_URL: between.url })
    await publishDay(
      { program, dataFolder },
      '2026-10-02',
      rowsOf(() => 0.3),
    )
    expect((await pull({ API_URL: between.url })).stdout).toMatch(/^2026-10-02: 1500 lines/)
    expect(await read('predictions.ndjson')).toBe(
      (await other.ask(`/v1/programs/test/predictions.ndjson`)).text,
    )
  })

  it('gives up after so many tries, leaves the last whole file, and says why', async () => {
    await pull()
    const before = await read('predictions.ndjson')
    const refused = await pull({ LOYALCAST_API_KEY: 'another-key-0123456789' })
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/status 401.*\n.*key/is),
    })
    proxy.mishaps.push(...Array.from({ length: 3 }, () => ({ cutAfter: 0 })))
    const cut = await pull({ TRIES: '3' })
    expect([cut.code, await read('predictions.ndjson')]).toEqual([1, before])
    expect(cut.stderr).not.toContain(key)
  })

  it('never shows the key to others on the machine', async () => {
    proxy.mishaps.push({ cutAfter: 20_000 })
    await pull()
    const seen = await readFile(join(tools, 'seen'), 'utf8')
    expect(seen).toContain('predictions.ndjson')
    expect(seen).not.toContain(key)
  })

  it('brings HubSpot its batches, each row once, also behind a break', async () => {
    proxy.mishaps.push({ cutAfter: 20_000 })
    const shaped = { FOR: 'hubspot', FIELDS: 'churn_90:Churn risk,nps_score', ID_FIELD: 'shop_id' }
    expect(await pull(shaped)).toMatchObject({ code: 0, stderr: expect.stringContaining('Going on behind') })
    const batches = linesOf(await read('predictions.hubspot.ndjson'))
    const inputs = batches.flatMap((batch) => batch.inputs as { id: string; idProperty: string }[])
    expect(inputs.map(({ id }) => id)).toEqual(rowsOf(() => 0).map(({ customer_id }) => customer_id))
    expect(inputs[7]).toMatchObject({ idProperty: 'shop_id', properties: { 'Churn risk': '0.2' } })
    expect((await pull(shaped)).stdout).toBe('nothing new\n')
  })

  it('brings Salesforce its CSV, from the start where it is cut off', async () => {
    proxy.mishaps.push({ cutAfter: 5_000 })
    expect((await pull({ FOR: 'salesforce' })).code).toBe(0)
    expect(await read('predictions.salesforce.csv')).toBe(await whole('csv?for=salesforce'))
  })

  it('brings a new day with what changed since the last pull', async () => {
    await pull()
    const later = [...rowsOf((n) => (n % 100 === 0 ? 0.7 : 0.2)).slice(1), madeRow('new')]
    await publishDay(made, '2026-10-02', later)
    // The changes are cut off, too.
    proxy.mishaps.push({ cutAfter: 1e9 }, { cutAfter: 700 })
    const { code, stdout, stderr } = await pull()
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^2026-10-02: 1500 lines in .*\nsince 2026-10-01: 1 gone, 14 moved, 1 new, in /)
    const changes = await served.ask('/v1/programs/test/changes.ndjson?since=2026-10-01')
    expect(await read('changes.ndjson')).toBe(changes.text)
    expect(await read('predictions.ndjson')).toBe(await whole())
    expect((await pull()).stdout).toBe('nothing new\n')
  })
})
