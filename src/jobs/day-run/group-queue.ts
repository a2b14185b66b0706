import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq'
import { failure } from '../../domain/errors.ts'
import type { Program } from '../../domain/program.ts'
import { lakeFolder } from '../../lake/lake.ts'
import { RunFolder } from '../../lake/run-folder.ts'
import { connectRedis } from '../redis-connection.ts'
import type { GroupRunner } from './group-threads.ts'
import { type DayPlan, definitionMark } from './plan.ts'
import { type GroupTask, runGroup, stepName } from './predict-group.ts'

/** Each program has a queue of its own: a worker gets no group of a program that it does not know. */
const queueOf = ({ name }: Pick<Program, 'name'>) => `loyalcast-groups-${name}`
/** Between two looks at what is done. */
const betweenLooksMs = 250
/** Between two looks at what Redis knows of it, in looks. */
const looksPerQuestion = 20
/** A group that ends every worker that takes it is given up then. */
const mostDeaths = 5

/** A group as it is handed to whichever worker is free: each knows the program by its own file, and has folders of its own. */
type QueuedGroup = Pick<GroupTask, 'plan' | 'group' | 'step'>

/** Redis keeps little: finished groups for an hour, what went wrong for a day, a thousand events. */
const kept = {
  removeOnComplete: { age: 3600, count: 10_000 },
  removeOnFail: { age: 86_400, count: 1000 },
  attempts: 3,
  backoff: { type: 'exponential', delay: 1000 },
} as const

export interface QueueOptions {
  readonly url: string
  readonly program: Program
  readonly dataFolder: string
  /** Told why nothing goes on. */
  readonly say: (sentence: string) => void
}

/**
 * Has groups worked at by the workers of a queue in Redis. What counts as done is what a worker noted in the folder of
 * the run: Redis may forget all, and is told again what is left.
 */
export function openGroupQueue({ url, program, dataFolder, say }: QueueOptions): GroupRunner {
  const connection = connectRedis(url, say)
  const queue = new Queue<QueuedGroup>(queueOf(program), {
    connection,
    streams: { events: { maxLen: 1000 } },
  })
  queue.on('error', () => {})
  let isTold = false
  const warnWithoutWorkers = async () => {
    if (isTold || (await queue.getWorkersCount()) > 0) return
    if (!isTold) say('No worker is there: start loyalcast worker with the same program file and REDIS_URL.')
    isTold = true
  }
  return {
    run: async ({ plan, group, step }, onRows) => {
      const run = new RunFolder(lakeFolder(dataFolder, program), plan.id)
      const task = { plan, group, step }
      let wrong: Error | null = null
      let isAsking = false
      const askBeside = async (isFirst: boolean) => {
        if (isAsking) return
        isAsking = true
        try {
          await ask(queue, task, { isFirst, onRows })
          await warnWithoutWorkers()
        } catch (error) {
          wrong = worded(error as Error)
        }
        isAsking = false
      }
      for (let looks = 0; (await run.noteOf(stepName(task))) === null; looks++) {
        if (wrong !== null) throw wrong
        // A group is done when it is noted, also where Redis is away by then: nobody waits for its answer.
        if (looks % looksPerQuestion === 0) void askBeside(looks === 0)
        await sleep(betweenLooksMs)
      }
    },
    close: async () => {
      connection.disconnect()
      await queue.close()
    },
  }
}

/** What Redis refuses, in words. */
function worded(error: Error): Error {
  if (error.name !== 'ReplyError') return error
  return failure(
    'redis',
    `Redis refuses to go on: ${error.message}. Mend it and run the command again: what is done is not done again.`,
    { cause: error },
  )
}

/** Sees to it that Redis knows of a group that is not done, and hears how far it is. **Errors** what it failed with. */
async function ask(
  queue: Queue<QueuedGroup>,
  task: QueuedGroup,
  { isFirst, onRows }: { isFirst: boolean; onRows: (rows: number) => void },
): Promise<void> {
  const jobId = [task.plan.id, task.step, task.group].join('-')
  const job = await queue.getJob(jobId)
  const state = await job?.getState()
  // Done, but not noted: the folder of the run was removed. Failed before: that says nothing of this run.
  if (job && (state === 'completed' || state === 'failed')) await job.remove()
  if (job && state === 'failed' && !isFirst)
    throw failure('worker', `Group ${task.group} could not be worked at: ${reasonOf(job)}`)
  if (typeof job?.progress === 'number') onRows(job.progress)
  await queue.add(task.step, task, { ...kept, jobId })
}

function reasonOf({ failedReason }: Job): string {
  return failedReason.includes('stalled more than')
    ? 'every worker that took it ended without a word. Look whether they had enough memory, and run the command again.'
    : failedReason
}

export interface GroupWorkerOptions {
  readonly url: string
  /** Those whose groups are worked at. */
  readonly programs: readonly Program[]
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Threads of the database. */
  readonly threads: number
  /** A worker that was killed is missed after so long. @default 15,000 */
  readonly missedAfterMs?: number
  /** Told what was done, or what went wrong. */
  readonly say: (sentence: string) => void
}

/** Works at groups, one of each program at a time, until it is closed, which waits for those at hand. */
export function startGroupWorker({
  url,
  say,
  programs,
  missedAfterMs = 15_000,
  ...folders
}: GroupWorkerOptions): { close(): Promise<void> } {
  const connection = connectRedis(url, say)
  const workers = programs.map((program) => {
    const worker = new Worker<QueuedGroup>(queueOf(program), (job) => workAt(job, { ...folders, program }), {
      connection,
      lockDuration: missedAfterMs,
      stalledInterval: missedAfterMs,
      maxStalledCount: mostDeaths,
    })
    worker.on('error', () => {})
    worker.on('failed', (job, error) => say(`${job?.id} went wrong: ${error.message}`))
    worker.on('completed', (job) => say(`${job.id} is done.`))
    return worker
  })
  return {
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()))
      connection.disconnect()
    },
  }
}

async function workAt(
  job: Job<QueuedGroup>,
  work: Pick<GroupTask, 'program' | 'dataFolder' | 'modelsFolder' | 'threads'>,
): Promise<void> {
  const { plan, group, step } = job.data
  requireSameDefinition(work.program, plan)
  requireRun(new RunFolder(lakeFolder(work.dataFolder, work.program), plan.id))
  let last = 0
  await runGroup({ ...work, plan, group, step }, (rows) => {
    if (rows === last) return
    last = rows
    // How far it is may be lost: it only tells a person.
    job.updateProgress(rows).catch(() => {})
  })
}

function requireSameDefinition(program: Program, plan: DayPlan): void {
  if (definitionMark(program) === plan.definition) return
  throw new UnrecoverableError(
    `The program file of ${program.name} differs from the one that the run was begun with. Start the worker anew with the same file.`,
  )
}

function requireRun(run: RunFolder): void {
  if (run.isThere()) return
  throw new UnrecoverableError(
    `The worker sees no ${run.path}: the run is over, or the worker was started with another folder (--data).`,
  )
}
