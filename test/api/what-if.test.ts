import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { scenarioAnswerSchema, whatIfAnswerSchema } from '../../src/api/what-if-schema.ts'
import { Registry } from '../../src/model/registry.ts'
import { type Finished, loyalcastHere } from '../cli/commands.ts'
import { makeLastingProgram } from '../programs.ts'
import { compiledServer } from './compiled-server.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Answer, problem, type Served, serveMade } from './served.ts'
import { makeTrainedCompany, type TrainedCompany, trainedDays } from './trained-company.ts'

let company: TrainedCompany
let served: Served
beforeAll(async () => {
  company = await makeTrainedCompany()
  served = await serveMade(company, [], { start: await compiledServer() })
})
afterAll(async () => {
  await served.close()
  await company.remove()
})

const program = '/v1/programs/small-company'

function post(path: string, body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return served.ask(`${program}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** Asks the command line. */
async function ask(question: unknown, ...more: string[]): Promise<Finished> {
  const file = join(company.folder, 'scenario.json')
  await writeFile(file, JSON.stringify(question))
  return loyalcast('what-if', company.path, file, ...more)
}

function loyalcast(...args: string[]): Promise<Finished> {
  const folders = ['--data', company.dataFolder, '--models', company.modelsFolder]
  return loyalcastHere([...args, ...folders, '--json'])
}

/** A job's result once it is done. */
async function resultOf(job: Answer): Promise<unknown> {
  expect(job.status).toBe(202)
  const done = await vi.waitFor(async () => {
    const { body } = await served.ask(job.headers.get('location') ?? '')
    expect(['done', 'failed']).toContain(body.status)
    return body
  }, 120_000)
  expect(done.problem).toBeNull()
  return done.result
}

const fewer = { name: 'Fewer', changes: [{ events: ['ticket'], remove: 0.5 }], cost: { fixed: 100 } }
const forms: readonly [string, unknown][] = [
  ['a scenario', fewer],
  [
    'a scenario of some customers on a day',
    { ...fewer, date: trainedDays[0], population: { where: [{ field: 'plan', is: 'gold' }] } },
  ],
  ['scenarios side by side', { compare: [fewer, { changes: [] }] }],
  ['a scenario at several strengths', { sweep: { scenario: fewer, steps: 2 } }],
  ['what reaches a figure', { goal: { scenario: fewer, figure: 'churn_90', target: 0.0001 } }],
]

describe('a question', () => {
  it.each(forms)('is answered by the API as by the command line: %s', async (_, question) => {
    const answer = await post('what-if', question)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { stdout } = await ask(question)
    expect(answer.body).toEqual(JSON.parse(stdout))
    expect(whatIfAnswerSchema.parse(answer.body)).toEqual(answer.body)
  })

  it('may look at everybody, as a job', async () => {
    const result = await resultOf(await post('what-if?full=true', fewer))
    expect(result).toEqual(JSON.parse((await ask(fewer, '--full')).stdout))
  })

  it('that leaves what is known is refused within its answer', async () => {
    const question = { changes: [{ events: ['ticket'], add: 60 }] }
    const { status, body } = await post('what-if', question)
    expect(status).toBe(200)
    expect(body).toMatchObject({ support: { refused: true }, difference: null })
    expect(scenarioAnswerSchema.parse(body)).toEqual(body)
    expect(await ask(question)).toMatchObject({ code: 3 })
  })
})

describe('a question that cannot be answered', () => {
  const wrong: readonly [string, unknown, string][] = [
    ['an unknown event', { changes: [{ events: ['tickets'], remove: 0.5 }] }, 'changes[0].events'],
    ['a share above 1', { changes: [{ events: ['ticket'], remove: 2 }] }, 'changes[0].remove'],
    ['a value never seen', { changes: [{ attribute: 'plan', set: 'platinum' }] }, 'changes[0].set'],
    ['an unknown key', { sweep: { scenario: fewer, step: 2 } }, 'sweep.step'],
  ]
  it.each(wrong)('is told in the sentences of the command line: %s', async (_, question, field) => {
    const { body } = await post('what-if', question)
    const { code, stderr } = await ask(question)
    expect(body).toMatchObject(problem('invalid-question', 422))
    expect([code, `${body.detail}\n`]).toEqual([2, stderr])
    expect(body.errors).toMatchObject([{ field, detail: expect.stringMatching(/\w/) }])
    expect((await post('scenarios', { name: 'x', question })).body.detail).toBe(body.detail)
  })

  it.each([
    ['a list', []],
    ['a text', 'half'],
    ['a number', 7],
  ])('is no question at all: %s', async (_, question) => {
    expect((await post('what-if', question)).body).toMatchObject(problem('invalid-question', 422))
  })

  it('names nobody', async () => {
    const { body } = await post('what-if', { population: { customer: 'nobody' } })
    expect(body).toMatchObject(problem('invalid-question', 422))
    expect(body.detail).toMatch(/nobody is no customer at risk/)
  })

  it('is of a day without predictions', async () => {
    const { body } = await post('what-if', { ...fewer, date: '2025-02-11' })
    expect(body).toMatchObject(problem('no-predictions', 404))
    expect(body.detail).toMatch(/There are predictions of: 2025-01-25, 2025-02-10, 2025-02-20/)
  })

  it('is of a program without a model, or of none', async () => {
    const bare = await makeLastingProgram({ yaml: madeYaml })
    await publishDay(bare, '2026-10-01', [madeRow('a')])
    const beside = await serveMade(bare)
    const asking = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    const { body } = await beside.ask('/v1/programs/test/what-if', asking)
    const unknown = await beside.ask('/v1/programs/none/what-if', asking)
    await beside.close()
    await bare.remove()
    expect(body).toMatchObject(problem('no-predictions', 404))
    expect(body.detail).toMatch(/test has no model yet/)
    expect(unknown.body).toMatchObject(problem('unknown-program', 404))
  })
})

describe('a saved scenario', () => {
  it('is kept, asked again on a day, and shows its answers side by side', async () => {
    const saved = await post('scenarios', {
      name: 'Half the tickets',
      question: { ...fewer, date: trainedDays[0] },
    })
    const { id } = saved.body
    expect([saved.status, saved.headers.get('location')]).toEqual([201, `${program}/scenarios/${id}`])
    expect(saved.body).toMatchObject({ name: 'Half the tickets', question: fewer, last_answer: null })
    const earlier = await post(`scenarios/${id}/answer`, { date: trainedDays[1] })
    const latest = await served.ask(`${program}/scenarios/${id}/answer`, { method: 'POST' })
    expect(latest.body).toEqual((await post('what-if', fewer)).body)
    const full = await resultOf(await post(`scenarios/${id}/answer?full=true`, {}))
    const { answers } = await served.read(`${program}/scenarios/${id}/answers`)
    expect(answers).toMatchObject([
      { date: trainedDays[2], full: true, headlines: [headlineOf(full)] },
      { date: trainedDays[2], full: false, headlines: [headlineOf(latest.body)] },
      { date: trainedDays[1], full: false, headlines: [headlineOf(earlier.body)] },
    ])
    expect((await served.read(`${program}/scenarios/${id}`)).last_answer).toEqual(answers[0])
    const gone = await served.ask(`${program}/scenarios/${id}`, { method: 'DELETE' })
    expect([gone.status, gone.text]).toEqual([204, ''])
    for (const path of [`scenarios/${id}`, `scenarios/${id}/answers`])
      expect((await served.ask(`${program}/${path}`)).body).toMatchObject(problem('unknown-scenario', 404))
    expect((await post(`scenarios/${id}/answer`, {})).body).toMatchObject(problem('unknown-scenario', 404))
  })

  /** What is remembered of an answer. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any shape, whose shape is tested
  function headlineOf({ difference, money, if_causal }: any) {
    const { rate: value, ci95 } = difference.outcomes.churn_90
    const netOf = (worth: typeof money) => (worth ? { value: worth.net, ci95: worth.net_ci95 } : null)
    const worth = { money: netOf(money), if_causal: netOf(if_causal) }
    return { name: 'Fewer', refused: false, difference: { churn_90: { value, ci95 } }, ...worth }
  }

  it('needs a name and a date that is one', async () => {
    expect((await post('scenarios', { question: fewer })).body).toMatchObject(problem('invalid-request', 400))
    expect((await post('scenarios', { name: ' ', question: fewer })).body.errors[0].field).toBe('name')
    const { body } = await post('scenarios', { name: 'x', question: fewer })
    const wrong = await post(`scenarios/${body.id}/answer`, { date: 'yesterday' })
    expect(wrong.body).toMatchObject(problem('invalid-request', 400))
    expect(wrong.body.detail).toMatch(/In the body: date is no day/)
  })

  it('is listed newest first, page by page', async () => {
    for (const name of ['one', 'two', 'three']) await post('scenarios', { name, question: fewer })
    const first = await served.read(`${program}/scenarios?limit=2`)
    expect(first.scenarios.map(({ name }: { name: string }) => name)).toEqual(['three', 'two'])
    const second = await served.read(`${program}/scenarios?limit=2&cursor=${first.next_cursor}`)
    expect(second.scenarios[0].name).toBe('one')
    const path = `${program}/scenarios/${first.scenarios[0].id}/answers?cursor=${first.next_cursor}`
    expect((await served.ask(path)).body).toMatchObject(problem('invalid-cursor', 400))
  })

  it('is the same for the command line', async () => {
    const { id } = JSON.parse((await ask(fewer, '--save')).stdout)
    expect(id).toMatch(/^[0-9a-z]{14}$/)
    expect((await served.read(`${program}/scenarios/${id}`)).name).toBe('Fewer')
    const again = await loyalcast('what-if', company.path, '--saved', id, '--date', trainedDays[1])
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse((await ask(fewer, '--date', trainedDays[1])).stdout))
    const shown = JSON.parse((await loyalcast('scenarios', company.path, 'show', id)).stdout)
    expect(shown).toMatchObject({ id, question: fewer, answers: [{ date: trainedDays[1] }] })
    const listed = JSON.parse((await loyalcast('scenarios', company.path)).stdout)
    expect(listed.scenarios[0]).toMatchObject({ id, last_answer: { date: trainedDays[1] } })
    expect((await loyalcast('scenarios', company.path, 'remove', id)).code).toBe(0)
    for (const args of [
      ['scenarios', company.path, 'show', id],
      ['what-if', company.path, '--saved', id],
    ]) {
      const { code, stderr } = await loyalcast(...args)
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/no saved scenario .*loyalcast scenarios lists them/),
      ])
    }
  })
})

describe('what a thread keeps', () => {
  it('gives way to the version that serves and to the day that was published last', async () => {
    const { modelsFolder } = company
    const registry = new Registry(modelsFolder, 'small-company')
    const [version] = await registry.versions()
    const next = '2025-01-20-2'
    await cp(registry.folderOf(version), registry.folderOf(next), { recursive: true })
    const asked = async () => (await post('what-if', { changes: [] })).body
    expect(await asked()).toMatchObject({ model_version: version, date: trainedDays[2] })
    await registry.promote(next, { at: '2026-11-20T12:00:00Z', reason: 'a test' })
    const day = ['daily', company.path, '--date', '2025-02-22', '--no-ingest']
    expect((await loyalcast(...day)).code).toBe(0)
    expect(await asked()).toMatchObject({ model_version: next, date: '2025-02-22' })
  })
})
