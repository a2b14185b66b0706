import { expect, it } from 'vitest'
import { openLake } from '../../src/lake/lake.ts'
import { ingestMade, queryLake } from '../lakes.ts'
import { makeProgram } from '../programs.ts'

const yaml = `
sources: { events: { file: events/*.csv } }
outcomes: { churn: { absence_of: login } }`

const logins = (at: string) =>
  Array.from({ length: 60 }, (_, customer) => ({ customer_id: `c${customer}`, at, type: 'login' }))

it('a new lake has as many buckets as are wanted, and keeps them', async () => {
  const made = await makeProgram({ files: { 'events/1.csv': logins('2026-01-01') }, yaml })
  expect((await ingestMade(made, { buckets: 3 })).notes).toEqual([])
  const bucketsOf = async () => {
    const { state } = await openLake(made.dataFolder, made.program)
    return { buckets: state.buckets, used: [...new Set(state.files.map(({ bucket }) => bucket))].sort() }
  }
  expect(await bucketsOf()).toEqual({ buckets: 3, used: [0, 1, 2] })
  await made.write('events/2.csv', logins('2026-01-02'))
  const { notes } = await ingestMade(made, { buckets: 5 })
  expect(notes).toEqual([
    `The lake of ${made.program.name} was made with 3 buckets and keeps them; 5 are for a new lake.`,
  ])
  expect(await bucketsOf()).toEqual({ buckets: 3, used: [0, 1, 2] })
  expect(await queryLake(made, 'events')).toHaveLength(120)
})
