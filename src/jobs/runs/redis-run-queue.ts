import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Program } from '../../domain/program.ts'
import type { RunRecord } from '../../domain/run.ts'
import { nextDue } from '../../domain/schedule.ts'
import { lakeFolder } from '../../lake/lake.ts'
import { RunRecords } from '../../lake/run-records.ts'
import { connectRedis } from '../redis-connection.ts'
import { addDueRun } from './daily-schedule.ts'
import { isNeedlessNow, mostAttempts, type RunQueue } from './run-queue.ts'

/** What Redis holds of a run: where its record is. Of a day that is due: nothing. */
export interface QueuedRun {
  readonly number?: number
}

/** Names of what is in the queue. */
export const jobNames = { run: 'run', due: 'due' } as const

export interface RedisQueueOptions {
  readonly url: string
  /** Whose runs are taken. */
  readonly programs: readonly Program[]
  readonly dataFolder: string
  /** ISO 8601. */
  readonly clock: () => string
  /** Told why nothing goes on. */
  readonly say: (sentence: string) => void
  /** Hears of what nobody expected. */
  readonly onError: (error: unknown) => void
}

/** The records are what counts: Redis forgets what has ended at once. */
const kept = { removeOnComplete: true, removeOnFail: true } as const

/** Of each program its own, so that workers take the runs of those that they know. */
export function queueName({ name }: Pick<Program, 'name'>): string {
  return `loyalcast-runs-${name}`
}

/** When a program's schedule strikes next, for whoever makes the job of it. */
export function strikeSettings({ schedule, timezone }: Program) {
  const repeatStrategy = (nowMs: number) =>
    schedule === null
      ? undefined
      : Date.parse(nextDue({ schedule, timezone }, new Date(nowMs).toISOString()).at)
  return { repeatStrategy }
}

/**
 * Runs that any worker takes, one at a time of a program, through a Redis. What waits outlives all processes; a Redis
 * that comes back empty is told again what is waiting and when days are due.
 */
export function openRedisRunQueue(options: RedisQueueOptions): RunQueue {
  const { url, programs, dataFolder, clock, say, onError } = options
  const connection = connectRedis(url, say)
  const queues = new Map(programs.map((program) => [program.name, openQueue(connection, program)]))
  const recordsOf = (program: Program) => new RunRecords(lakeFolder(dataFolder, program))
  const runQueue: RunQueue = {
    async add(program, wanted) {
      const { asked, cause, retryOf = null } = wanted
      const added = await recordsOf(program).addUnless(
        { asked, cause, retryOf, queue: 'redis', createdAt: clock() },
        { holder: 'keeper', isNeedless: isNeedlessNow(wanted) },
      )
      // Redis may be gone for a while; whoever asks need not wait for it.
      if (added) offer(queues.get(program.name), added.run).catch(onError)
      return added?.run ?? null
    },
    async close() {
      connection.off('ready', begin)
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      connection.disconnect()
    },
  }
  const beginOne = async (program: Program) => {
    const queue = queues.get(program.name) as Queue<QueuedRun>
    await queue.setGlobalConcurrency(1)
    await keepSchedule(queue, program)
    for (const run of await recordsOf(program).list())
      if (run.status === 'queued' && run.queue === 'redis') await offer(queue, run)
    await addDueRun(program, runQueue, clock())
  }
  const begin = () => {
    for (const program of programs) beginOne(program).catch(onError)
  }
  connection.on('ready', begin)
  return runQueue
}

function openQueue(connection: Redis, program: Program): Queue<QueuedRun> {
  const queue = new Queue<QueuedRun>(queueName(program), {
    ...{ connection, streams: { events: { maxLen: 1000 } } },
    settings: strikeSettings(program),
  })
  // What is wrong is said by the connection.
  queue.on('error', () => {})
  return queue
}

/** Sees to it that Redis knows of a run that waits. */
async function offer(queue: Queue<QueuedRun> | undefined, { number, createdAt }: RunRecord): Promise<void> {
  const jobId = `${number}-${Date.parse(createdAt)}`
  const backoff = { type: 'exponential', delay: 1000 }
  await queue?.add(jobNames.run, { number }, { ...kept, jobId, attempts: mostAttempts, backoff })
}

/** Has Redis make a job whenever the schedule strikes, or none any more. */
async function keepSchedule(queue: Queue<QueuedRun>, { schedule, timezone }: Program): Promise<void> {
  if (schedule === null) {
    await queue.removeJobScheduler(jobNames.due)
    return
  }
  const [hour, minute] = schedule.split(':').map(Number)
  const times = { pattern: `${minute} ${hour} * * *`, tz: timezone }
  await queue.upsertJobScheduler(jobNames.due, times, { name: jobNames.due, data: {}, opts: kept })
}
