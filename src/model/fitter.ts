import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { startBackend } from './backend.ts'
import type { FitTask, LogisticTaskOptions, NetworkTaskOptions, TreesTaskOptions } from './fitting-worker.ts'
import { fitLogistic, joinTasks, type LogisticMember, restoreLogistic } from './logistic-member.ts'
import type { LearningSet, StoredMember } from './member.ts'
import { fitNetwork, type NetworkTrace } from './network-fit.ts'
import { type NetworkMember, restoreNetwork } from './network-member.ts'
import { countTasks, pickTask, type TaskOptions } from './single-task.ts'
import { fitTrees, joinTrees, restoreTrees, type TreesMember } from './trees-member.ts'

/** Told the share of a fit that is done, 0 to 1. */
type OnProgress = (done: number) => void

/** Fits members; several fits may go on at once. Where they run changes nothing of what they give. */
export interface Fitter {
  logistic(
    learning: LearningSet,
    options: LogisticTaskOptions,
    onProgress: OnProgress,
  ): Promise<LogisticMember>
  trees(learning: LearningSet, options: TreesTaskOptions, onProgress: OnProgress): Promise<TreesMember>
  network(
    learning: LearningSet,
    options: NetworkTaskOptions,
    onProgress: OnProgress,
  ): Promise<{ readonly member: NetworkMember; readonly trace: NetworkTrace }>
  close(): Promise<void>
}

/** A fit holds the data, its copy for the backend and the working memory: more at once would fill small machines. */
const mostThreads = 8

/**
 * Fits in a thread a processor, also on the native backend: its own threads help only large networks. Fits of sources
 * that were not compiled stay in this thread: a thread can load JavaScript alone.
 */
export async function openFitter(): Promise<Fitter> {
  const backend = await startBackend()
  const isCompiled = import.meta.url.endsWith('.js')
  if (!isCompiled) return fitterHere
  const threads = new Piscina({
    filename: fileURLToPath(new URL('./fitting-worker.js', import.meta.url)),
    minThreads: 1,
    maxThreads: Math.min(mostThreads, availableParallelism()),
  })
  const run = <Result>(name: string, task: Omit<FitTask<unknown>, 'port' | 'backend'>, told: OnProgress) => {
    const { port1, port2 } = new MessageChannel()
    listen(port1, told)
    const whole: FitTask<unknown> = { ...task, backend, port: port2 }
    return threads.run(whole, { name, transferList: [port2] }) as Promise<Result>
  }
  /** Each task in a thread of its own. */
  const fitTasks = <T, Options extends TaskOptions<T>>(
    name: string,
    learning: LearningSet,
    { options, told }: { options: Options & TaskOptions<T>; told: OnProgress },
  ) => {
    const done = new Array<number>(countTasks(learning)).fill(0)
    const fits = done.map((_, index) =>
      run<StoredMember>(name, pickTask<T, Options>(learning, options, index), (share) => {
        done[index] = share
        told(done.reduce((sum, one) => sum + one, 0) / done.length)
      }),
    )
    return Promise.all(fits)
  }
  return {
    logistic: async (learning, options, told) =>
      joinTasks((await fitTasks('logistic', learning, { options, told })).map(restoreLogistic)),
    trees: async (learning, options, told) =>
      joinTrees((await fitTasks('trees', learning, { options, told })).map(restoreTrees)),
    network: async (learning, options, told) => {
      const { stored, trace } = await run<{ stored: StoredMember; trace: NetworkTrace }>(
        'network',
        { learning, options },
        told,
      )
      return { member: restoreNetwork(stored), trace }
    },
    close: () => threads.destroy(),
  }
}

function listen(port: MessagePort, told: OnProgress): void {
  port.on('message', (done: number) => told(done))
  port.unref()
}

/** Fits in this thread, one after the other. */
export const fitterHere: Fitter = {
  logistic: async (learning, options, onProgress) => fitLogistic(learning, { ...options, onProgress }),
  trees: async (learning, options, onProgress) => fitTrees(learning, { ...options, onProgress }),
  network: (learning, options, onProgress) =>
    fitNetwork(learning, { ...options, onEpoch: ({ epoch, epochs }) => onProgress(epoch / epochs) }),
  close: async () => {},
}
