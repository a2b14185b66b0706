import { z } from 'zod'
import type { Program } from '../domain/program.ts'
import { emptyState, type LakeChange, lakeChanges } from '../lake/commits.ts'
import { type Lake, lakeFolder } from '../lake/lake.ts'
import { latestCommit } from '../lake/lake-reader.ts'
import { type WebhookEvent, webhookEvent } from './event-catalogue.ts'
import type { SourceEvents, WebhookSource } from './webhook-source.ts'

/** The last commit that was read, told apart from its namesake in a lake that was made anew. */
const positionSchema = z.object({ sequence: z.number(), at: z.string().nullable() })
type Position = z.infer<typeof positionSchema>

/**
 * What a lake source makes of a commit: the events, the earliest first.
 *
 * @param lake as it is now; a day of an earlier commit may have been replaced already.
 */
export type DescribeChange = (change: LakeChange, lake: Lake) => Promise<WebhookEvent[]>

/**
 * Yields events from the commits of a program's lake, whichever process made them. What is left to say is what a commit
 * means:
 *
 * ```ts
 * lakeSource({ name: 'shifts', dataFolder, program, describe: async ({ record }, lake) => [ … ] })
 * ```
 *
 * A lake that was deleted and made anew goes on with what was committed later than what was read last.
 */
export function lakeSource(options: {
  readonly name: string
  readonly dataFolder: string
  readonly program: Pick<Program, 'name'>
  readonly describe: DescribeChange
}): WebhookSource {
  const { name, dataFolder, program, describe } = options
  const folder = lakeFolder(dataFolder, program)
  let known = { mark: '', position: '' }
  return {
    name,
    present: async () => (await readAfter(folder, null)).position,
    async read(after): Promise<SourceEvents> {
      const mark = await latestCommit(folder)
      if (known.mark === mark && known.position === after) return { events: [], position: after }
      const { lake, changes, position } = await readAfter(folder, positionSchema.parse(JSON.parse(after)))
      const events: WebhookEvent[] = []
      for (const change of changes) events.push(...(await describe(change, lake)))
      known = { mark, position }
      return { events, position }
    },
  }
}

/** The lake as it is, and its commits after a position; none where there is no position yet. */
async function readAfter(
  folder: string,
  position: Position | null,
): Promise<{ lake: Lake; changes: LakeChange[]; position: string }> {
  let state = emptyState
  let last: Position = { sequence: 0, at: null }
  let isSameLake = position?.sequence === 0
  const changes: LakeChange[] = []
  for await (const change of lakeChanges(folder)) {
    const { sequence, at } = change.record
    if (position !== null && (sequence > position.sequence || isLater(at, position.at))) changes.push(change)
    if (position?.sequence === sequence && position.at === at) isSameLake = true
    state = change.after
    last = { sequence, at }
  }
  const isNew = ({ record }: LakeChange) =>
    isSameLake ? record.sequence > (position?.sequence ?? 0) : isLater(record.at, position?.at ?? null)
  return { lake: { folder, state }, changes: changes.filter(isNew), position: JSON.stringify(last) }
}

function isLater(one: string, other: string | null): boolean {
  return Date.parse(one) > Date.parse(other ?? '')
}

/** Says that a day of predictions can be read. */
export function dayReadySource(dataFolder: string, program: Pick<Program, 'name'>): WebhookSource {
  return lakeSource({
    name: 'days',
    dataFolder,
    program,
    describe: async ({ before, record }) =>
      record.predictions.map(({ date, modelVersion, rows, predicted, lakeCommit }) =>
        webhookEvent('prediction.day_ready', record.at, {
          program: program.name,
          date,
          model_version: modelVersion,
          customers: rows,
          predicted,
          lake_commit: lakeCommit,
          is_replaced: before.predictions.has(date),
        }),
      ),
  })
}
