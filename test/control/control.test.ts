import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Control, controlPath, findControl, openControl } from '../../src/control/control.ts'

const root = join(import.meta.dirname, '../..')
const program = { name: 'shop' }

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-control-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function open(folder: string): Promise<Control> {
  const control = await openControl(folder, program)
  onTestFinished(() => control.close())
  return control
}

const at = (second: number) => `2026-11-20T12:00:${String(second).padStart(2, '0')}Z`
const scenario = (id: string) => ({ id, name: `name of ${id}`, question: { changes: [] }, createdAt: at(0) })
const job = (id: string) => ({ id, question: { changes: [] }, scenarioId: null, createdAt: at(0) })
const answer = (date: string, more = {}) => ({
  ...{ answeredAt: at(1), date, modelVersion: '2026-11-20-1', isFull: false },
  headlines: [{ difference: { churn_90: { value: -0.01, ci95: [-0.02, 0] } } }],
  ...more,
})

/** A process that lived and is gone. */
function goneProcess(): string {
  return `${spawnSync('true').pid} 1`
}

describe('the control state', () => {
  it('is one file beside the folder of the lake, made when something is first kept', async () => {
    const folder = await makeFolder()
    expect(await findControl(folder, program)).toBeNull()
    expect(await readdir(folder)).toEqual([])
    await (await openControl(join(folder, 'data'), program)).close()
    const files = await readdir(join(folder, 'data'))
    expect(files).toContain('shop.control.sqlite')
    expect(files.filter((name) => !name.startsWith('shop.control.sqlite'))).toEqual([])
  })

  it('survives being closed', async () => {
    const folder = await makeFolder()
    const first = await openControl(folder, program)
    await first.scenarios.save(scenario('a'))
    await first.close()
    const second = await findControl(folder, program)
    expect(await second?.scenarios.find('a')).toMatchObject({ ...scenario('a'), lastAnswer: null })
    await second?.close()
  })

  it('is shared: what one process writes another sees', async () => {
    const folder = await makeFolder()
    const [one, other] = [await open(folder), await open(folder)]
    await one.scenarios.save(scenario('a'))
    await other.scenarios.save(scenario('b'))
    expect((await one.scenarios.list({ after: null, limit: 9 })).map(({ id }) => id)).toEqual(['b', 'a'])
    expect(await other.scenarios.remove('a')).toBe(true)
    expect(await one.scenarios.find('a')).toBeNull()
  })

  it('is made once by several processes that begin at the same time', async () => {
    const folder = await makeFolder()
    expect(await Promise.all(['a', 'b', 'c', 'd'].map((id) => saveElsewhere(folder, id)))).toEqual([
      0, 0, 0, 0,
    ])
    const { scenarios } = await open(folder)
    const saved = await scenarios.list({ after: null, limit: 9 })
    expect(saved.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('is made once where it is opened twice at the same time', async () => {
    const folder = await makeFolder()
    const both = await Promise.all([open(folder), open(folder)])
    await both[0].scenarios.save(scenario('a'))
    expect(await both[1].scenarios.find('a')).not.toBeNull()
  })

  it('says in one sentence where it cannot be opened', async () => {
    const folder = await makeFolder()
    await writeFile(controlPath(folder, program), 'this is no database, whatever its name says'.repeat(100))
    await expect(openControl(folder, program)).rejects.toMatchObject({
      kind: 'failed',
      code: 'control',
      message: expect.stringMatching(/shop\.control\.sqlite cannot be opened: .*SQLite database/s),
    })
  })
})

/** Opens the state in another process, saves a scenario, and tells the exit code. */
function saveElsewhere(folder: string, id: string): Promise<number | null> {
  const code = `
    import { openControl } from ${JSON.stringify(join(root, 'dist/src/control/control.js'))}
    const control = await openControl(${JSON.stringify(folder)}, { name: 'shop' })
    await control.scenarios.save(${JSON.stringify(scenario(id))})
    await control.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  return new Promise((resolve) => child.on('close', resolve))
}

describe('saved scenarios', () => {
  it('are listed newest first, page by page', async () => {
    const { scenarios } = await open(await makeFolder())
    for (const id of ['a', 'b', 'c']) await scenarios.save(scenario(id))
    const first = await scenarios.list({ after: null, limit: 2 })
    expect(first.map(({ id }) => id)).toEqual(['c', 'b'])
    const second = await scenarios.list({ after: first[1].number, limit: 2 })
    expect(second.map(({ id }) => id)).toEqual(['a'])
  })

  it('remember what they were answered with, the latest first', async () => {
    const { scenarios } = await open(await makeFolder())
    await scenarios.save(scenario('a'))
    await scenarios.save(scenario('b'))
    await scenarios.record('a', answer('2026-11-18'))
    await scenarios.record('a', answer('2026-11-19', { isFull: true }))
    await scenarios.record('b', answer('2026-11-17'))
    expect((await scenarios.find('a'))?.lastAnswer).toEqual(answer('2026-11-19', { isFull: true }))
    const listed = await scenarios.list({ after: null, limit: 9 })
    expect(listed.map(({ lastAnswer }) => lastAnswer?.date)).toEqual(['2026-11-17', '2026-11-19'])
    const answers = await scenarios.answers('a', { after: null, limit: 9 })
    expect(answers.map(({ date }) => date)).toEqual(['2026-11-19', '2026-11-18'])
    expect(await scenarios.answers('a', { after: answers[0].number, limit: 9 })).toEqual([answers[1]])
  })

  it('go with their answers, and an answer that comes later is dropped', async () => {
    const { scenarios } = await open(await makeFolder())
    await scenarios.save(scenario('a'))
    await scenarios.record('a', answer('2026-11-18'))
    expect([await scenarios.remove('a'), await scenarios.remove('a')]).toEqual([true, false])
    await scenarios.record('a', answer('2026-11-19'))
    expect(await scenarios.answers('a', { after: null, limit: 9 })).toEqual([])
  })

  it('keep the last 200 answers', async () => {
    const { scenarios } = await open(await makeFolder())
    await scenarios.save(scenario('a'))
    for (let n = 0; n < 202; n++) await scenarios.record('a', answer(`day ${n}`))
    const answers = await scenarios.answers('a', { after: null, limit: 999 })
    expect([answers.length, answers[0].date, answers[199].date]).toEqual([200, 'day 201', 'day 2'])
  })
})

describe('jobs', () => {
  it('go from queued to done and keep their result', async () => {
    const folder = await makeFolder()
    const { jobs } = await open(folder)
    expect(await jobs.add(job('a'))).toMatchObject({ ...job('a'), status: 'queued', startedAt: null })
    await jobs.start('a', at(1))
    expect(await jobs.find('a')).toMatchObject({ status: 'running', startedAt: at(1), finishedAt: null })
    await jobs.finish('a', { at: at(2), json: '{"name":"x"}' })
    const done = { status: 'done', finishedAt: at(2), result: { name: 'x' }, problem: null }
    expect(await (await open(folder)).jobs.find('a')).toMatchObject(done)
    expect(await jobs.find('b')).toBeNull()
  })

  it('keep why they failed', async () => {
    const { jobs } = await open(await makeFolder())
    await jobs.add(job('a'))
    const problem = { kind: 'usage', code: 'scenario', message: 'cannot be used' } as const
    await jobs.fail('a', { at: at(2), problem })
    expect(await jobs.find('a')).toMatchObject({ status: 'failed', result: null, problem })
  })

  it('of a process that is gone are interrupted; those of one that runs go on', async () => {
    const folder = await makeFolder()
    const { jobs } = await open(folder)
    for (const id of ['mine', 'gone', 'elsewhere']) await jobs.add(job(id))
    const database = new Libsql(controlPath(folder, program))
    const own = (id: string, owner: string) =>
      database.prepare('update question_jobs set owner = ? where id = ?').run(owner, id)
    const [, , ...place] = (
      database.prepare('select owner from question_jobs').get() as { owner: string }
    ).owner.split(' ')
    own('gone', [goneProcess(), ...place].join(' '))
    own('elsewhere', '1 1 another-machine pid:[1]')
    database.close()
    const statusOf = async (id: string) => (await jobs.find(id))?.status
    expect([await statusOf('mine'), await statusOf('gone')]).toEqual(['queued', 'interrupted'])
    await jobs.interruptAbandoned(at(5))
    expect([await statusOf('mine'), await statusOf('elsewhere')]).toEqual(['queued', 'interrupted'])
    expect(await jobs.find('gone')).toMatchObject({ finishedAt: at(5) })
  })

  it('are forgotten beyond the last 200, but never before they are finished', async () => {
    const { jobs } = await open(await makeFolder())
    await jobs.add(job('waiting'))
    for (let n = 0; n < 201; n++) {
      await jobs.add(job(`job ${n}`))
      await jobs.interrupt(`job ${n}`, at(1))
    }
    await jobs.add(job('last'))
    expect(await jobs.find('waiting')).not.toBeNull()
    expect(await jobs.find('job 1')).toBeNull()
    expect(await jobs.find('job 2')).not.toBeNull()
  })
})
