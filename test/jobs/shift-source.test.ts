import { expect, it } from 'vitest'
import { payloadOf } from '../../src/engage/event-catalogue.ts'
import { shiftSource } from '../../src/jobs/shift-source.ts'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { makeProgram } from '../programs.ts'

const rows = (moved: number) =>
  Array.from({ length: 60 }, (_, n) =>
    madeRow(`c${String(n).padStart(2, '0')}`, { churn_90: n < moved ? 0.3 + n / 100 : 0.2 }),
  )

it('a day behind another tells once who moved, the most first; the first day and a day replaced since tell nothing', async () => {
  const made = await makeProgram({ yaml: madeYaml })
  const source = shiftSource(made.dataFolder, made.program)
  const start = await source.present()
  await publishDay(made, '2026-10-01', rows(0))
  const first = await source.read(start)
  expect(first.events).toEqual([])
  await publishDay(made, '2026-10-02', rows(5))
  await publishDay(made, '2026-10-02', [...rows(25), madeRow('late')])
  const second = await source.read(first.position)
  expect(second.events).toHaveLength(1)
  const [event] = second.events
  expect(event).toMatchObject({
    type: 'customer.shifted',
    data: { program: 'test', date: '2026-10-02', since: '2026-10-01', new: 1, gone: 0, moved: 25 },
  })
  const { customers } = event.data as { customers: { customer_id: string }[] }
  expect(customers.map(({ customer_id }) => customer_id)).toEqual(
    Array.from({ length: 20 }, (_, place) => `c${String(24 - place).padStart(2, '0')}`),
  )
  expect(customers[0]).toEqual({
    ...{ customer_id: 'c24', figure: 'churn_90', before: 0.2, after: 0.54, cause: 'behaviour' },
  })
  expect(payloadOf(event).length).toBeLessThan(20 * 1024)
  expect((await source.read(second.position)).events).toEqual([])
})
