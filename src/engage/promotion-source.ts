import { z } from 'zod'
import type { Program } from '../domain/program.ts'
import { type Promotion, Registry } from '../model/registry.ts'
import { webhookEvent } from './event-catalogue.ts'
import type { WebhookSource } from './webhook-source.ts'

/** The last entry of the log that was read, told apart from its namesake in a log that was begun anew. */
const positionSchema = z.object({ count: z.number(), at: z.string().nullable() })

/** Says that another model version serves. A log that was begun anew goes on with what is later than what was read last. */
export function promotionSource(modelsFolder: string, program: Pick<Program, 'name'>): WebhookSource {
  const registry = new Registry(modelsFolder, program.name)
  return {
    name: 'promotions',
    present: async () => positionOf(await registry.log()),
    async read(after) {
      const log = await registry.log()
      const { count, at } = positionSchema.parse(JSON.parse(after))
      const isSameLog = count === 0 || log[count - 1]?.at === at
      const added = isSameLog
        ? log.slice(count)
        : log.filter((entry) => Date.parse(entry.at) > Date.parse(at ?? ''))
      const events = added.map(({ at, version, previous, action, reason }) =>
        webhookEvent('model.promoted', at, {
          program: program.name,
          version,
          previous,
          action,
          // A reason may be of any length, a message may not.
          reason: reason.slice(0, 1000),
        }),
      )
      return { events, position: positionOf(log) }
    },
  }
}

function positionOf(log: readonly Promotion[]): string {
  return JSON.stringify({ count: log.length, at: log.at(-1)?.at ?? null })
}
