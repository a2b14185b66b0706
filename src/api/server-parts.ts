import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Intake } from '../jobs/intake.ts'
import { startDailySchedule } from '../jobs/runs/daily-schedule.ts'
import { openRedisRunQueue } from '../jobs/runs/redis-run-queue.ts'
import { openRunQueue } from '../jobs/runs/run-queue.ts'
import { openReadingDatabase } from '../lake/read-predictions.ts'
import { ExportDesk } from './export-desk.ts'
import { ServedPrograms } from './programs.ts'
import { RunDesk } from './run-desk.ts'
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
  readonly runs: RunDesk
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
  const runs = openRuns(options, onError)
  return {
    programs: new ServedPrograms(served),
    desk,
    exports,
    actions,
    webhooks,
    intake,
    runs,
    start: () => {
      for (const one of served) void one.prepare().catch(onError)
      webhooks.start()
      runs.start()
      if (options.isPrepared) for (const program of options.programs) desk.prepare(program)
    },
    close: async () => {
      await runs.close()
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

/** With a Redis workers do the runs, and know when days are due. */
function openRuns(options: ServerOptions, onError: (error: unknown) => void): RunDesk {
  const { redisUrl: url = null, runCommand: command } = options
  const say = (sentence: string) => onError(new Error(sentence))
  if (url !== null) {
    const queue = openRedisRunQueue({ ...options, url, say, onError })
    return new RunDesk({ ...options, queue, startSchedule: () => async () => {} })
  }
  const queue = openRunQueue({ ...options, command, onError })
  return new RunDesk({
    ...options,
    queue,
    startSchedule: () => startDailySchedule({ ...options, queue, onError }),
  })
}
