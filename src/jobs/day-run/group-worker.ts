import type { MessagePort } from 'node:worker_threads'
import { LoyalcastError } from '../../domain/errors.ts'
import { type GroupTask, runGroup } from './predict-group.ts'

/** A group as it is handed to a thread. The port hears how many customers are done. */
export interface ThreadGroup {
  readonly task: GroupTask
  readonly port: MessagePort
}

/** A {@link LoyalcastError} as it leaves a thread, which takes nothing but the message of an error along. */
export type ThreadFailure = Pick<LoyalcastError, 'kind' | 'code' | 'message'>

/** Runs in a thread: does a step of a group of a day's customers, and says why where it cannot be done. */
export default async function run({ task, port }: ThreadGroup): Promise<ThreadFailure | null> {
  try {
    await runGroup(task, (rows) => port.postMessage(rows))
    return null
  } catch (error) {
    if (!(error instanceof LoyalcastError)) throw error
    return { kind: error.kind, code: error.code, message: error.message }
  } finally {
    port.close()
  }
}
