import type { MessagePort } from 'node:worker_threads'
import { type GroupReport, type GroupTask, predictGroup } from './predict-group.ts'

/** A group as it is handed to a thread. The port hears how many customers are done. */
export interface ThreadGroup {
  readonly task: GroupTask
  readonly port: MessagePort
}

/** Runs in a thread: predicts a group of a day's customers. */
export default async function predict({ task, port }: ThreadGroup): Promise<GroupReport> {
  try {
    return await predictGroup(task, (rows) => port.postMessage(rows))
  } finally {
    port.close()
  }
}
