import type { MessagePort } from 'node:worker_threads'
import { type GroupTask, runGroup } from './predict-group.ts'

/** A group as it is handed to a thread. The port hears how many customers are done. */
export interface ThreadGroup {
  readonly task: GroupTask
  readonly port: MessagePort
}

/** Runs in a thread: does a step of a group of a day's customers. */
export default async function run({ task, port }: ThreadGroup): Promise<void> {
  try {
    await runGroup(task, (rows) => port.postMessage(rows))
  } finally {
    port.close()
  }
}
