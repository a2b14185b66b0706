import { type Job, Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { failure } from '../../domain/errors.ts'
import type { Program } from '../../domain/program.ts'
import { lakeFolder } from '../../lake/lake.ts'
import { RunFolder } from '../../lake/run-folder.ts'
import type { GroupRunner } from './group-threads.ts'
import { type DayPlan, definitionMark } from './plan.ts'
import { type GroupTask, runGroup, stepName } from './predict-group.ts'

const queueName = 'loyalcast-groups'
/** Between two looks at what is done. */
const betweenLooksMs = 250
/** Between two looks at what Redis knows of it, in looks. */
const looksPerQuestion = 20
/** A worker that was killed is missed after so long. */
const lockMs = 15_000

/** A group as it is handed to whichever worker is free: each knows the program by its own file, and has folders of its own. */
interface QueuedGroup extends Pick<GroupTask, 'plan' | 'group' | 'step'> {
  readonly program: string
}

/** Redis keeps little: finished groups for an hour, what went wrong for a day, a thousand events. */
const kept = {
  removeOnComplete: { age: 3600, count: 10_000 },
  removeOnFail: { age: 86_400, count: 1000 },
  attempts: 3,
  backoff: { type: 'exponential', delay: 1000 },
} as const

/** Connections wait for a Redis that is gone for a while instead of giving up. @param say told so, once each time */
function connect(url: string, say: (sentence: string) => void): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null })
  let isAway = false
  redis.on('ready', () => {
    isAway = false
  })
  redis.on('error', (error) => {
    if (!isAway) say(`Redis does not answer (${error.message}); waiting for it.`)
    isAway = true
  })
  return redis
}

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
  const connection = connect(url, say)
  const queue = new Queue<QueuedGroup>(queueName, { connection, streams: { events: { maxLen: 1000 } } })
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
      const task = { program: program.name, plan, group, step }
      for (let looks = 0; (await run.noteOf(stepName({ step, group }))) === null; looks++) {
        if (looks % looksPerQuestion === 0) {
          await ask(queue, task, onRows)
          await warnWithoutWorkers()
        }
        await new Promise((resolve) => setTimeout(resolve, betweenLooksMs))
      }
    },
    close: async () => {
      await queue.close()
      connection.disconnect()
    },
  }
}

/** Sees to it that Redis knows of a group that is not done, and hears how far it is. **Errors** what it failed with. */
async function ask(
  queue: Queue<QueuedGroup>,
  task: QueuedGroup,
  onRows: (rows: number) => void,
): Promise<void> {
  const jobId = [task.plan.id, task.step, task.group].join('-')
  const job = await queue.getJob(jobId)
  const state = await job?.getState()
  if (job && state === 'failed') {
    await job.remove()
    throw failure('worker', `Group ${task.group} could not be worked at: ${job.failedReason}`)
  }
  // Done, but not noted: the folder of the run is another one than the worker's, or was removed.
  if (job && state === 'completed') await job.remove()
  if (typeof job?.progress === 'number') onRows(job.progress)
  await queue.add(task.step, task, { ...kept, jobId })
}

export interface GroupWorkerOptions {
  readonly url: string
  /** Those whose groups are worked at. */
  readonly programs: readonly Program[]
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Threads of the database. */
  readonly threads: number
  /** Told what was done, or what went wrong. */
  readonly say: (sentence: string) => void
}

/** Works at one group after the other until it is closed, which waits for the one at hand. */
export function startGroupWorker({ url, say, ...options }: GroupWorkerOptions): { close(): Promise<void> } {
  const connection = connect(url, say)
  const worker = new Worker<QueuedGroup>(queueName, (job) => workAt(job, options), {
    connection,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // A group that ends every worker that takes it is given up.
    maxStalledCount: 5,
  })
  worker.on('error', () => {})
  worker.on('failed', (job, error) => say(`${job?.id} went wrong: ${error.message}`))
  worker.on('completed', (job) => say(`${job.id} is done.`))
  return {
    close: async () => {
      await worker.close()
      connection.disconnect()
    },
  }
}

async function workAt(
  job: Job<QueuedGroup>,
  { programs, ...folders }: Omit<GroupWorkerOptions, 'url' | 'say'>,
): Promise<void> {
  const { program: name, plan, group, step } = job.data
  const program = programs.find((own) => own.name === name)
  if (program === undefined)
    throw failure('worker', `This worker does not know the program ${name}; start it with its program file.`)
  requireSameDefinition(program, plan)
  let last = 0
  await runGroup({ ...folders, program, plan, group, step }, (rows) => {
    if (rows === last) return
    last = rows
    // How far it is may be lost: it only tells a person.
    job.updateProgress(rows).catch(() => {})
  })
}

function requireSameDefinition(program: Program, plan: DayPlan): void {
  if (definitionMark(program) === plan.definition) return
  throw failure(
    'worker',
    `The program file of ${program.name} differs from the one that the run was begun with. Start the worker anew with the same file.`,
  )
}
