import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { lakeFolder, openLake } from '../../src/lake/lake.ts'
import { whileLocked } from '../../src/lake/lock.ts'
import { Registry } from '../../src/model/registry.ts'
import { loyalcastHere } from '../cli/commands.ts'
import { asOf, clock, dates, makeSmallProgram, type SmallProgram, tooFew } from '../crash/small-program.ts'
import { type Answer, problem, type Served, serveMade } from './served.ts'

const path = '/v1/programs/test/runs'
const daily = { kind: 'daily', date: dates[0] }
const patience = { timeout: 120_000, interval: 100 }

let made: SmallProgram
let served: Served
const serve = () => serveMade(made, [], { clock: () => clock })
beforeAll(async () => {
  vi.stubEnv('LOYALCAST_NOW', clock)
  made = await makeSmallProgram(tooFew)
  served = await serve()
}, 60_000)
afterAll(async () => {
  vi.unstubAllEnvs()
  await served.close()
  await made.remove()
})

function post(to: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const json = { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }
  return served.ask(to, {
    method: 'POST',
    headers: json,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

/** A run once it is in one of the states. */
function runIn(id: string, ...states: string[]): Promise<Answer['body']> {
  return vi.waitFor(async () => {
    const run = await served.read(`${path}/${id}`)
    expect(states, JSON.stringify(run)).toContain(run.status)
    return run
  }, patience)
}

/** While the lake is locked, runs come no further than its door. */
const whileHeld = (work: () => Promise<void>) =>
  whileLocked(lakeFolder(made.dataFolder, made.program), { reporter: silentReporter }, work)

/** The process that does a run. */
async function pidOf(id: string): Promise<number> {
  const lock = join(lakeFolder(made.dataFolder, made.program), 'run-records', `${id}.runner.lock`)
  const holder = await vi.waitFor(() => readlink(lock), patience)
  return Number(holder.split(' ')[0])
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const versions = () => new Registry(made.modelsFolder, made.program.name).versions()

describe('runs', () => {
  it('are done in processes of their own, one after the other, and tell what came of them', async () => {
    const training = await post(path, { kind: 'train', as_of: asOf, max_rows: 2000 })
    expect([training.status, training.headers.get('location')]).toEqual([202, `${path}/1`])
    expect(training.body).toMatchObject({
      id: '1',
      kind: 'train',
      cause: 'api',
      status: 'queued',
      result: null,
    })
    const day = await post(path, daily)
    expect(await runIn('2', 'queued', 'running', 'done')).toMatchObject({ date: dates[0], as_of: null })
    const done = await runIn(day.body.id, 'done')
    const version = `${asOf}-1`
    expect(done.result).toMatchObject({ model_version: version, customers: expect.any(Number) })
    expect(await runIn('1', 'done')).toMatchObject({
      ...{ attempts: 1, problem: null, progress: null, started_at: clock, finished_at: clock },
      result: { version, as_of: asOf, promoted: true, reason: expect.stringMatching(/first version/) },
    })
    expect((await openLake(made.dataFolder, made.program)).state.predictions.has(dates[0])).toBe(true)
  }, 120_000)

  it('that fail say why, in the words of the command', async () => {
    const { body } = await post(path, { kind: 'train', as_of: '2001-01-01' })
    const failed = await runIn(body.id, 'failed')
    expect(failed).toMatchObject({
      attempts: 1,
      result: null,
      problem: { detail: expect.stringMatching(/2001-01-01/) },
    })
    const again = await post(`${path}/${body.id}/retry`)
    expect(again.body).toMatchObject({ retry_of: body.id, as_of: '2001-01-01' })
    expect((await runIn(again.body.id, 'failed')).problem).toEqual(failed.problem)
  }, 120_000)

  it('are cancelled while they wait and while they work, and nothing stays of them', async () => {
    const before = await versions()
    await whileHeld(async () => {
      const running = await post(path, { kind: 'train', as_of: '2024-06-30' })
      const waiting = await post(path, daily)
      const pid = await pidOf(running.body.id)
      expect((await post(`${path}/${running.body.id}/retry`)).body).toMatchObject(problem('not-ended', 409))
      for (const { body } of [waiting, running])
        expect((await post(`${path}/${body.id}/cancel`)).status).toBe(202)
      expect((await served.read(`${path}/${waiting.body.id}`)).status).toBe('cancelled')
      await runIn(running.body.id, 'cancelled')
      expect(isAlive(pid)).toBe(false)
      expect((await post(`${path}/${running.body.id}/cancel`)).body).toMatchObject(
        problem('already-ended', 409),
      )
    })
    expect(await versions()).toEqual(before)
  }, 120_000)

  it('whose process dies are begun again, and say so', async () => {
    let id = ''
    await whileHeld(async () => {
      id = (await post(path, daily)).body.id
      const pid = await pidOf(id)
      await runIn(id, 'running')
      process.kill(pid, 'SIGKILL')
      await vi.waitFor(async () => expect((await runIn(id, 'running')).attempts).toBe(2), patience)
    })
    expect(await runIn(id, 'done')).toMatchObject({ attempts: 2, problem: null })
  }, 120_000)

  it('are interrupted where the server stops, with their processes', async () => {
    let pid = 0
    await whileHeld(async () => {
      const running = await post(path, daily)
      const waiting = await post(path, daily)
      pid = await pidOf(running.body.id)
      await served.close()
      served = await serve()
      for (const { body } of [running, waiting]) await runIn(body.id, 'interrupted')
    })
    expect(isAlive(pid)).toBe(false)
  }, 120_000)

  it('are listed page by page, by kind and by status, whoever started them', async () => {
    const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
    await loyalcastHere(['daily', made.path, '--date', dates[0], '--no-ingest', ...folders])
    const all = await served.read(`${path}?limit=100`)
    const ids = all.runs.map((run: { id: string }) => run.id)
    expect(ids).toEqual(Array.from(ids, (_, place) => String(ids.length - place)))
    expect(all.runs[0]).toMatchObject({ cause: 'command', status: 'done' })
    const paged: string[] = []
    for (let cursor = ''; ; ) {
      const page = await served.read(`${path}?limit=2${cursor}`)
      paged.push(...page.runs.map((run: { id: string }) => run.id))
      if (page.next_cursor === null) break
      cursor = `&cursor=${page.next_cursor}`
    }
    expect(paged).toEqual(ids)
    const { runs } = await served.read(`${path}?kind=train&status=failed`)
    expect(runs.map((run: { id: string }) => run.id)).toEqual(['4', '3'])
    const { next_cursor: cursor } = await served.read(`${path}?limit=1`)
    const other = await served.ask(`${path}?kind=train&limit=1&cursor=${cursor}`)
    expect(other.body).toMatchObject(problem('invalid-cursor', 400))
  })

  it('are done once under one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'morning' }
    const [first, second] = [await post(path, daily, headers), await post(path, daily, headers)]
    expect(second.body.id).toBe(first.body.id)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    await runIn(first.body.id, 'done')
  }, 120_000)

  it.each([
    [{ kind: 'weekly' }, 'kind'],
    [{ kind: 'daily' }, 'date'],
    [{ kind: 'daily', date: '2024-02-30' }, 'date'],
    [{ kind: 'daily', date: '2024-06-01', max_rows: 5 }, 'max_rows'],
    [{ kind: 'train', max_rows: 0 }, 'max_rows'],
    [{ kind: 'train', as_of: '--help' }, 'as_of'],
  ])('are refused as %j', async (body, field) => {
    const { status, body: refused } = await post(path, body)
    expect(status).toBe(400)
    expect(JSON.stringify(refused.errors)).toContain(field)
  })

  it.each(['0', '99999', '1.5', '../1', 'x'])('have no id %s', async (id) => {
    const { body } = await served.ask(`${path}/${encodeURIComponent(id)}`)
    expect(body).toMatchObject(problem('unknown-run', 404))
  })
})
