import { tmpdir } from 'node:os'
import type { Program } from '../domain/program.ts'
import { type WebhookEvent, webhookEvent } from '../engage/event-catalogue.ts'
import { lakeSource } from '../engage/lake-source.ts'
import type { WebhookSource } from '../engage/webhook-source.ts'
import type { LakeChange } from '../lake/commits.ts'
import type { Lake } from '../lake/lake.ts'
import { withScratchDatabase } from '../lake/scratch-database.ts'
import { selectChanges } from './changes.ts'

/** Customers that an event names: those who moved most. */
const mostNamed = 20
/** Longer ids are left to the list that the event points to, in characters. */
const longestId = 200

interface Shifted {
  readonly customer_id: string
  readonly figure: string
  readonly before: number
  readonly after: number
  readonly cause: 'behaviour' | 'model' | null
}

/** Yields who moved beyond what is usual whenever a day is published that has one before it. */
export function shiftSource(dataFolder: string, program: Program): WebhookSource {
  return lakeSource({
    name: 'shifts',
    dataFolder,
    program,
    describe: async ({ record }: LakeChange, lake: Lake) => {
      const events: WebhookEvent[] = []
      for (const { date, path } of record.predictions) {
        // A day that was predicted again meanwhile is told by its own record.
        if (lake.state.predictions.get(date)?.path !== path) continue
        const since = [...lake.state.predictions.keys()]
          .filter((one) => one < date)
          .sort()
          .at(-1)
        if (since !== undefined) events.push(await shifted(program, lake, { at: record.at, since, date }))
      }
      return events
    },
  })
}

async function shifted(
  program: Program,
  lake: Lake,
  { at, since, date }: { at: string; since: string; date: string },
): Promise<WebhookEvent> {
  return withScratchDatabase(tmpdir(), program, async (database) => {
    await database.run(
      `create temp table changes as ${await selectChanges(database, program, { lake, since, date })}`,
    )
    const counts = await database.row<Record<'new' | 'gone' | 'moved', number>>(
      "select count(*) filter (change = 'new') as new, count(*) filter (change = 'gone') as gone, count(*) filter (change = 'moved') as moved from changes",
    )
    const customers = await database.rows<Shifted & Record<string, unknown>>(`
      select customer_id, figure, "before", "after", cause
      from changes
      where change = 'moved' and length(customer_id) <= ${longestId}
      order by list_max(list_transform(from_json(moved, '[{"times_usual":"DOUBLE"}]'), lambda one: one.times_usual)) desc, customer_id
      limit ${mostNamed}`)
    return webhookEvent('customer.shifted', at, { program: program.name, date, since, ...counts, customers })
  })
}
