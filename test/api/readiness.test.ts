import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { controlPath } from '../../src/control/control.ts'
import { codeVersion } from '../../src/domain/version.ts'
import { makeProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { problem, serveMade } from './served.ts'

const noVersion = (name: string) =>
  `${name} has no version that serves: nothing can be predicted or asked. Run loyalcast train.`

it('a server lives from its start, and is ready once a day can be read, without a restart', async () => {
  const made = await makeProgram({ yaml: madeYaml })
  const served = await serveMade(made)
  try {
    expect((await served.ask('/healthz', { key: null })).body).toEqual({ status: 'ok', version: codeVersion })
    const early = await served.ask('/readyz', { key: null })
    expect(early.status).toBe(503)
    expect(early.headers.get('content-type')).toBe('application/problem+json')
    expect(early.body.detail).toBe('test has no predictions yet. Run loyalcast daily.')
    for (const path of ['summary', 'predictions', 'customers/a/prediction']) {
      const { status, body } = await served.ask(`/v1/programs/test/${path}`)
      expect([status, body.type, body.days]).toEqual([404, 'urn:loyalcast:problem:no-predictions', []])
    }
    expect((await served.read('/v1/programs')).programs[0]).toMatchObject({
      champion: null,
      days: { count: 0, first: null, last: null },
    })

    await publishDay(made, '2026-10-01', [madeRow('a')])
    const ready = await served.ask('/readyz', { key: null })
    expect([ready.status, ready.body]).toEqual([
      200,
      {
        status: 'ready',
        programs: {
          test: {
            date: '2026-10-01',
            reason: null,
            missing: [noVersion('test')],
            rows_ready: expect.any(Boolean),
          },
        },
      },
    ])
    await publishDay(made, '2026-10-02', [])
    expect((await served.read('/v1/programs')).programs[0].days).toEqual({
      count: 2,
      first: '2026-10-01',
      last: '2026-10-02',
    })
  } finally {
    await served.close()
  }
})

it('one program that has nothing yet does not keep the others from being served', async () => {
  const made = await makeProgram({ yaml: madeYaml })
  const { program } = await makeProgram({ yaml: `program: other\n${madeYaml}` })
  await publishDay(made, '2026-10-01', [madeRow('a')])
  const served = await serveMade(made, [program])
  try {
    const { status, body } = await served.ask('/readyz')
    expect([status, body.programs.other]).toEqual([
      200,
      {
        date: null,
        reason: 'other has no predictions yet. Run loyalcast daily.',
        missing: ['other has no predictions yet. Run loyalcast daily.', noVersion('other')],
        rows_ready: false,
      },
    ])
  } finally {
    await served.close()
  }
})

it('a lake that was removed and made anew is read anew', async () => {
  const made = await makeProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('before', { churn_90: 0.25 })])
  const served = await serveMade(made)
  const churn = async () => (await served.read('/v1/programs/test/summary')).outcomes.churn_90
  try {
    expect(await churn()).toMatchObject({ rate: 0.25, customers: 0.25 })
    await rm(join(made.dataFolder, 'test'), { recursive: true })
    expect((await served.ask('/readyz')).status).toBe(503)
    await publishDay(made, '2026-10-01', [
      madeRow('after', { churn_90: 0.5 }),
      madeRow('too', { churn_90: 0.75 }),
    ])
    expect(await churn()).toMatchObject({ rate: 0.625, customers: 1.25 })
  } finally {
    await served.close()
  }
})

it('a server whose program cannot keep anything says so, and goes on serving', async () => {
  const made = await makeProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('a')])
  await writeFile(controlPath(made.dataFolder, made.program), 'this is no database'.repeat(100))
  const served = await serveMade(made)
  try {
    const { status, body } = await served.ask('/readyz')
    expect([status, body.programs.test.missing[1]]).toEqual([
      200,
      'The control database of test cannot be opened: scenarios and jobs are not there.',
    ])
    expect((await served.ask('/v1/programs/test/scenarios')).body).toMatchObject(problem('unavailable', 503))
  } finally {
    await served.close()
  }
})
