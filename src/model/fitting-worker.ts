import type { MessagePort } from 'node:worker_threads'
import { type Backend, startBackend } from './backend.ts'
import { fitLogistic, type LogisticOptions } from './logistic-member.ts'
import type { LearningSet, Member, StoredMember } from './member.ts'
import { fitNetwork, type NetworkFitOptions, type NetworkTrace } from './network-fit.ts'
import { fitTrees, type TreesOptions } from './trees-member.ts'

/** One fit as it is handed to a thread: data only. Progress goes to the port. */
export interface FitTask<Options> {
  readonly learning: LearningSet
  readonly options: Options
  readonly backend: Backend
  readonly port: MessagePort
}

export type LogisticTaskOptions = Omit<LogisticOptions, 'onProgress'>
export type TreesTaskOptions = Omit<TreesOptions, 'onProgress'>
export type NetworkTaskOptions = DistributiveOmit<NetworkFitOptions, 'onEpoch' | 'signal'>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** Runs in a thread: fits logistic regressions. */
export const logistic = inThread<LogisticTaskOptions>(fitLogistic)

/** Runs in a thread: boosts trees. */
export const trees = inThread<TreesTaskOptions>(fitTrees)

/** A fit that tells its progress to the port and gives back what is stored of the member. */
function inThread<Options>(
  learn: (learning: LearningSet, options: Options & { onProgress: (done: number) => void }) => Member,
): (task: FitTask<Options>) => StoredMember {
  return ({ learning, options, port }) => {
    try {
      return learn(learning, { ...options, onProgress: (done) => port.postMessage(done) }).store()
    } finally {
      port.close()
    }
  }
}

/** Runs in a thread: fits a network on the backend that the main thread computes on. */
export async function network({
  learning,
  options,
  backend,
  port,
}: FitTask<NetworkTaskOptions>): Promise<{ stored: StoredMember; trace: NetworkTrace }> {
  await startBackend(backend)
  try {
    const onEpoch = ({ epoch, epochs }: { epoch: number; epochs: number }) => port.postMessage(epoch / epochs)
    const { member, trace } = await fitNetwork(learning, { ...options, onEpoch })
    return { stored: member.store(), trace }
  } finally {
    port.close()
  }
}
