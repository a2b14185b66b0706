import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { nextBestActions } from '../../src/jobs/actions.ts'
import { makeTreatedCompany } from '../simulation/treated-company.ts'
import { serveMade } from './served.ts'

it('the next best action of a customer is worked out beside requests, and is that of the command', {
  timeout: 300_000,
}, async () => {
  const made = await makeTreatedCompany()
  const options = { date: null, customerId: null, seed: 1, reporter: silentReporter }
  const { rows, ...report } = await nextBestActions(made.program, { ...made, ...options })
  const served = await serveMade(made)
  try {
    const path = (id: string) => `/v1/programs/${made.program.name}/customers/${id}/next-action`
    const first = await served.ask(path(rows[0].customer_id))
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
    let answer = first
    while (answer.status === 503) {
      await pause(200)
      answer = await served.ask(path(rows[0].customer_id))
    }
    expect(answer.body).toEqual({
      ...{ program: made.program.name, date: report.date, model_version: report.model_version },
      ...{ currency: report.currency, counted: report.counted, ...rows[0] },
    })
    const acted = rows.find(({ initiative }) => initiative === 'call')
    expect(acted).toBeDefined()
    expect((await served.ask(path(acted?.customer_id as string))).body).toMatchObject({ ...acted })
    expect((await served.ask(path('nobody'))).body.type).toBe('urn:loyalcast:problem:unknown-customer')
  } finally {
    await served.close()
    await made.remove()
  }
})
