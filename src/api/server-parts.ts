import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Intake } from '../jobs/intake.ts'
import { openReadingDatabase } from '../lake/read-predictions.ts'
import { ExportDesk } from './export-desk.ts'
import { ServedPrograms } from './programs.ts'
import { ServedActions } from './served-actions.ts'
import { ServedProgram } from './served-program.ts'
import type { ServerOptions } from './server-options.ts'
import { WebhookDesk } from './webhook-desk.ts'
import { WhatIfDesk } from './what-if-desk.ts'

/** What does the work behind the routes of a server. */
export interface ServerParts {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
  readonly exports: ExportDesk
  readonly actions: ServedActions
  readonly webhooks: WebhookDesk
  readonly intake: Intake
  /** Begins what goes on beside requests. */
  start(): void
  close(): Promise<void>
}

/** Opens the parts. @param onError hears of what goes wrong beside requests. */
export async function openParts(
  options: ServerOptions,
  onError: (error: unknown) => void,
): Promise<ServerParts> {
  const { memoryLimit = '1GB' } = options
  const spillFolder = await mkdtemp(join(tmpdir(), 'loyalcast-serve-'))
  const database = await openReadingDatabase({ spillFolder, memoryLimit })
  const shared = { ...options, spillFolder, onError }
  const served = options.programs.map((program) => new ServedProgram(program, { ...shared, database }))
  const desk = new WhatIfDesk(shared)
  const exports = new ExportDesk(database, spillFolder)
  const actions = new ServedActions(desk, { database, folder: spillFolder })
  const control: WhatIfDesk['control'] = (program) => desk.control(program)
  const webhooks = new WebhookDesk({ ...shared, settings: options.webhooks, control })
  const intake = new Intake(options)
  return {
    programs: new ServedPrograms(served),
    desk,
    exports,
    actions,
    webhooks,
    intake,
    start: () => {
      for (const one of served) void one.prepare().catch(onError)
      webhooks.start()
      if (options.isPrepared) for (const program of options.programs) desk.prepare(program)
    },
    close: async () => {
      await webhooks.close()
      await intake.close()
      await desk.close()
      await exports.close()
      for (const one of served) await one.close()
      database.close()
      await rm(spillFolder, { recursive: true, force: true })
    },
  }
}
