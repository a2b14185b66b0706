import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Answer, problem, type Served, serveMade } from './served.ts'

const questionWorker = new URL('./held-worker.mjs', import.meta.url)
const path = '/v1/programs/test/what-if'
const fully = `${path}?full=true`

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let ids = 0
const serve = () => serveMade(made, [], { questionWorker, makeId: () => `id${++ids}` })
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('mine')])
  served = await serve()
})
beforeEach(() => rm(join(made.dataFolder, 'released'), { force: true }))
afterAll(async () => {
  await release()
  await served.close()
  await made.remove()
})

function post(to: string, body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return served.ask(to, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** Lets the threads go on. */
async function release(): Promise<void> {
  await writeFile(join(made.dataFolder, 'released'), '')
}

/** Until a thread is held by a question. */
async function heldBy(name: string): Promise<void> {
  await vi.waitFor(() => expect(existsSync(join(made.dataFolder, `started ${name}`))).toBe(true), 60_000)
}

/** A job once it is in one of the states. */
async function jobIn(id: string, ...states: string[]): Promise<Answer['body']> {
  return vi.waitFor(async () => {
    const job = await served.read(`/v1/programs/test/jobs/${id}`)
    expect(states).toContain(job.status)
    return job
  }, 60_000)
}

describe('a server with a question at hand', () => {
  it('goes on to answer everything else, although the question holds its thread', async () => {
    const asked = post(path, { name: 'slow' })
    await heldBy('slow')
    const others = ['/healthz', '/readyz', '/v1/programs', '/v1/programs/test/summary']
    for (const other of [...others, '/v1/programs/test/predictions', '/openapi.json'])
      expect((await served.ask(other)).status, other).toBe(200)
    await release()
    expect(await asked).toMatchObject({ status: 200, body: { name: 'slow' } })
  })

  it('answers no more than eight at a time, and says when to try again', async () => {
    const asked = Array.from({ length: 9 }, (_, place) => post(path, { name: `soon ${place}` }))
    const refused = await Promise.race(asked)
    expect(refused.body).toMatchObject(problem('busy', 503))
    expect(refused.headers.get('retry-after')).toBe('10')
    await release()
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.sort()).toEqual([...Array(8).fill(200), 503])
  })
})

describe('a job', () => {
  it('is made at once, answered one after the other, and tells how far it is', async () => {
    const first = await post(fully, { name: 'first' })
    expect([first.status, first.headers.get('location')]).toEqual([
      202,
      `/v1/programs/test/jobs/${first.body.id}`,
    ])
    expect(first.body).toMatchObject({ status: 'queued', question: { name: 'first' }, result: null })
    const second = await post(fully, { name: 'second' })
    await heldBy('first')
    const running = await vi.waitFor(async () => {
      const job = await jobIn(first.body.id, 'running')
      expect(job.progress).toEqual({ done: 1, total: 4 })
      return job
    })
    expect(running).toMatchObject({ result: null, finished_at: null, started_at: '2026-11-20T12:00:00Z' })
    expect(await jobIn(second.body.id, 'queued')).toMatchObject({ progress: null, started_at: null })
    // A question that wants an answer at once does not wait for them.
    const soon = post(path, { name: 'beside' })
    await heldBy('beside')
    await release()
    expect((await soon).status).toBe(200)
    expect(await jobIn(first.body.id, 'done')).toMatchObject({
      ...{ result: { name: 'first' }, problem: null, progress: null },
      finished_at: '2026-11-20T12:00:00Z',
    })
    expect((await jobIn(second.body.id, 'done')).result).toEqual({ name: 'second' })
  })

  it('that fails says why, with the same problem as a question at once', async () => {
    await release()
    const { body } = await post(fully, { name: 'wrong' })
    const atOnce = await post(path, { name: 'wrong' })
    const { type, title, status, detail, errors } = atOnce.body
    expect(status).toBe(422)
    expect(errors).toEqual([{ field: 'changes[0].events', detail: 'found "x".' }])
    expect((await jobIn(body.id, 'failed')).problem).toEqual({ type, title, status, detail, errors })
  })

  it('that meets what nobody expected shows nothing of the inside; the log does', async () => {
    await release()
    const { body } = await post(fully, { name: 'broken' })
    const job = await jobIn(body.id, 'failed')
    expect(job.problem).toMatchObject({ type: 'urn:loyalcast:problem:internal', status: 500 })
    expect(JSON.stringify(job)).not.toContain('nobody expected')
    expect(served.log.join('')).toContain('nobody expected this')
    expect((await post(path, { name: 'broken' })).body).toMatchObject(problem('internal', 500))
  })

  it('is refused where twenty wait already', async () => {
    const first = await post(fully, { name: 'many' })
    await heldBy('many')
    const waiting = await Promise.all(Array.from({ length: 20 }, () => post(fully, { name: 'waits' })))
    expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set([202]))
    const refused = await post(fully, { name: 'late' })
    expect(refused.body).toMatchObject(problem('busy', 503))
    expect(refused.headers.get('retry-after')).toBe('10')
    await release()
    await jobIn(waiting[19].body.id, 'done')
    expect((await jobIn(first.body.id, 'done')).result).toEqual({ name: 'many' })
  })

  it('that the end of the server interrupts is said to be; what was done before stays', async () => {
    await release()
    const done = await post(fully, { name: 'kept' })
    await jobIn(done.body.id, 'done')
    await rm(join(made.dataFolder, 'released'))
    const running = await post(fully, { name: 'cut off' })
    const queued = await post(fully, { name: 'never begun' })
    await heldBy('cut off')
    const closing = served.close()
    await release()
    await closing
    served = await serve()
    for (const { body } of [running, queued])
      expect(await jobIn(body.id, 'interrupted')).toMatchObject({ result: null, problem: null })
    expect((await jobIn(done.body.id, 'done')).result).toEqual({ name: 'kept' })
  })

  it('is cancelled while it waits and while it is answered, and can be asked again', async () => {
    const running = await post(fully, { name: 'unwanted' })
    const waiting = await post(fully, { name: 'never asked' })
    await heldBy('unwanted')
    const jobs = '/v1/programs/test/jobs'
    const early = await post(`${jobs}/${running.body.id}/retry`, {})
    expect(early.body).toMatchObject(problem('not-ended', 409))
    for (const { body } of [waiting, running]) {
      const cancelled = await post(`${jobs}/${body.id}/cancel`, {})
      expect([cancelled.status, cancelled.body.status]).toEqual([202, 'cancelled'])
    }
    await release()
    const again = await post(`${jobs}/${running.body.id}/retry`, {})
    expect(again.body).toMatchObject({ retry_of: running.body.id, question: { name: 'unwanted' } })
    expect((await jobIn(again.body.id, 'done')).result).toEqual({ name: 'unwanted' })
    for (const { body } of [waiting, running])
      expect(await jobIn(body.id, 'cancelled')).toMatchObject({ result: null, problem: null })
    expect(existsSync(join(made.dataFolder, 'started never asked'))).toBe(false)
    const late = await post(`${jobs}/${again.body.id}/cancel`, {})
    expect(late.body).toMatchObject(problem('already-ended', 409))
  })

  it('belongs to its program', async () => {
    const { body } = await served.ask('/v1/programs/test/jobs/none')
    expect(body).toMatchObject(problem('unknown-job', 404))
  })
})
