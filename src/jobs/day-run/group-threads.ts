import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { LoyalcastError } from '../../domain/errors.ts'
import type { ThreadFailure, ThreadGroup } from './group-worker.ts'
import { type GroupTask, runGroup } from './predict-group.ts'

/** Each thread holds a predictor, a backend, a database and the features of a part of its group. */
const mostThreads = 4

/** Where groups are worked at. */
export interface GroupRunner {
  run(task: Omit<GroupTask, 'threads'>, onRows: (rows: number) => void): Promise<void>
  close(): Promise<void>
}

/**
 * Works at groups in threads. With a single one, or of sources that were not compiled, they are worked at in this thread
 * one after the other, by a database that takes all processors: a thread can load JavaScript alone.
 */
export function openGroupRunner(groups: number, wanted: number | null): GroupRunner {
  const processors = availableParallelism()
  const isCompiled = import.meta.url.endsWith('.js')
  const threads = Math.min(wanted ?? Math.min(mostThreads, processors), groups)
  if (!isCompiled || threads === 1) return runnerHere(processors)
  const pool = new Piscina<ThreadGroup, ThreadFailure | null>({
    filename: fileURLToPath(new URL('./group-worker.js', import.meta.url)),
    minThreads: threads,
    maxThreads: threads,
    // Most of what a thread makes is short-lived: with more room it is cleared away half as often.
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
  })
  const each = Math.max(1, Math.floor(processors / threads))
  return {
    run: async (task, onRows) => {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', onRows)
      port1.unref()
      const group = { task: { ...task, threads: each }, port: port2 }
      const failed = await pool.run(group, { transferList: [port2] })
      if (failed !== null) throw new LoyalcastError(failed.kind, failed.code, failed.message)
    },
    close: () => pool.destroy(),
  }
}

function runnerHere(processors: number): GroupRunner {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run: (task, onRows) => {
      const next = last.then(() => runGroup({ ...task, threads: processors }, onRows))
      last = next.catch(() => {})
      return next
    },
    close: async () => {},
  }
}
