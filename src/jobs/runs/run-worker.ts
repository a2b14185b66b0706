import { DelayedError, type Job, Worker } from 'bullmq'
import { LoyalcastError } from '../../domain/errors.ts'
import type { Program } from '../../domain/program.ts'
import { isOpen } from '../../domain/run.ts'
import { lakeFolder } from '../../lake/lake.ts'
import { RunRecords } from '../../lake/run-records.ts'
import { connectRedis } from '../redis-connection.ts'
import { addDueRun } from './daily-schedule.ts'
import {
  jobNames,
  openRedisRunQueue,
  type QueuedRun,
  queueName,
  type RedisQueueOptions,
  strikeSettings,
} from './redis-run-queue.ts'
import { type RunCommand, runInChild } from './run-child.ts'
import { givenUp, hasDied, mostAttempts, type RunQueue } from './run-queue.ts'

export interface RunWorkerOptions extends RedisQueueOptions {
  readonly command: RunCommand
}

/** A worker that was killed is missed after so long, in milliseconds. */
const lockMs = 30_000
/** Until a run that another process is still at is looked at again, in milliseconds. */
const lookAgainMs = 5_000

/** Works at the runs of programs, each in a process of its own, until it is closed: what is at hand goes to another worker. */
export function startRunWorker(options: RunWorkerOptions): { close(): Promise<void> } {
  const { url, programs, say } = options
  const connection = connectRedis(url, say)
  const queue = openRedisRunQueue(options)
  const stopping = new AbortController()
  const workers = programs.map((program) => {
    const work: Work = { ...options, program, queue, stop: stopping.signal }
    const worker = new Worker<QueuedRun>(queueName(program), (job, token) => workAt(job, token, work), {
      ...{ connection, lockDuration: lockMs, stalledInterval: lockMs },
      // A run that ends every worker that takes it is given up.
      ...{ maxStalledCount: mostAttempts - 1, settings: strikeSettings(program) },
    })
    worker.on('error', () => {})
    worker.on('failed', (job, error) => {
      if (job && job.attemptsMade < mostAttempts && !job.finishedOn) return
      giveUp(work, job, error).catch(options.onError)
    })
    return worker
  })
  return {
    close: async () => {
      stopping.abort()
      await Promise.all(workers.map((worker) => worker.close()))
      await queue.close()
      connection.disconnect()
    },
  }
}

interface Work extends RunWorkerOptions {
  readonly program: Program
  readonly queue: RunQueue
  readonly stop: AbortSignal
}

async function workAt(job: Job<QueuedRun>, token: string | undefined, work: Work): Promise<void> {
  const { program, queue, clock, dataFolder } = work
  if (job.name === jobNames.due) {
    await addDueRun(program, queue, clock())
    return
  }
  const records = new RunRecords(lakeFolder(dataFolder, program))
  const { number = 0 } = job.data
  const run = await records.find(number)
  if (run === null || !isOpen(run)) return
  const release = await records.hold(number, 'keeper')
  if (release === null) return later(job, token)
  try {
    await runInChild({ ...work, records, run })
  } catch (error) {
    await records.requeue(number)
    if (error instanceof LoyalcastError && error.code === 'run-left') return await later(job, token)
    if (hasDied(error) && run.attempts + 1 < mostAttempts) throw error
    await records.end(number, { at: clock(), ...givenUp(error) })
  } finally {
    await release()
  }
}

/** Puts a job back, without counting that as a failure. */
async function later(job: Job<QueuedRun>, token: string | undefined): Promise<never> {
  await job.moveToDelayed((job.processedOn ?? job.timestamp) + lookAgainMs, token)
  throw new DelayedError()
}

/** Says that nobody goes on with a run whose workers were all ended. */
async function giveUp(
  { program, dataFolder, clock }: Work,
  job: Job<QueuedRun> | undefined,
  error: Error,
): Promise<void> {
  if (job?.name !== jobNames.run || job.data.number === undefined) return
  const records = new RunRecords(lakeFolder(dataFolder, program))
  await records.end(job.data.number, { at: clock(), ...givenUp(error) })
}
