import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ingestMade, queryLake } from '../lakes.ts'
import { type FileRow, makeLastingProgram } from '../programs.ts'

const yaml = `
sources: { events: { file: events/*.csv } }
outcomes: { churn: { absence_of: login } }`

/** Few values, so that equal rows and ids that come again are common; some rows are refused. */
const rows = (hasIds: boolean) =>
  fc.array(
    fc.record({
      customer_id: fc.constantFrom('a', 'b'),
      at: fc.constantFrom('2026-01-01', '2026-01-02', 'soon'),
      type: fc.constantFrom('login', 'order'),
      value: fc.constantFrom(null, 1),
      event_id: hasIds ? fc.option(fc.constantFrom('x', 'y', 'z'), { freq: 2 }) : fc.constant(null),
    }),
    { minLength: 1, maxLength: 12 },
  )

/** What the lake holds, read file by file as they come, or all at once. */
async function lakeOf(files: readonly (readonly FileRow[])[], isStepwise: boolean): Promise<unknown> {
  const made = await makeLastingProgram({ files: {}, yaml })
  try {
    for (const [place, content] of files.entries()) {
      await made.write(`events/${place}.csv`, content)
      if (isStepwise) await ingestMade(made)
    }
    if (!isStepwise) await ingestMade(made)
    const found = await queryLake(made, 'events')
    return found
      .map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
      .sort()
  } finally {
    await made.remove()
  }
}

describe('files that come one after the other', () => {
  it.each([
    ['without ids of their own', false],
    ['with ids of their own', true],
  ])(
    'hold, %s, the same rows as all of them read at once',
    async (_, hasIds) => {
      await fc.assert(
        fc.asyncProperty(fc.array(rows(hasIds), { minLength: 2, maxLength: 3 }), async (files) => {
          // A source that never had a row with a time is refused: the first file has one.
          const [first, ...more] = files
          const sure = { customer_id: 'c', at: '2026-01-01', type: 'login', value: null, event_id: null }
          const all = [[sure, ...first], ...more]
          expect(await lakeOf(all, true)).toEqual(await lakeOf(all, false))
        }),
        { numRuns: 12 },
      )
    },
    120_000,
  )
})
