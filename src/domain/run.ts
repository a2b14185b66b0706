import { z } from 'zod'
import { isDay } from './days.ts'

/** What a run does: predicts a day, or trains a version. */
export const runKinds = ['daily', 'train'] as const
export type RunKind = (typeof runKinds)[number]

/** `interrupted`: its process ended before it was done. */
export const runStatuses = ['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const
export type RunStatus = (typeof runStatuses)[number]

const day = z.string().refine(isDay)

const askedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('daily'), date: day }),
  z.object({
    kind: z.literal('train'),
    /** Null: the last day with data. */
    asOf: day.nullable(),
    /** Of the training table. Null: as many as the command takes. */
    maxRows: z.int().min(1).nullable(),
  }),
])
/** What was asked for. */
export type AskedRun = z.infer<typeof askedSchema>

const dailyResult = z.object({
  modelVersion: z.string(),
  /** Customers at risk: one prediction each. */
  customers: z.int(),
  predicted: z.int(),
  abstained: z.int(),
})

const trainResult = z.object({
  version: z.string(),
  asOf: day,
  promoted: z.boolean(),
  /** Why it was promoted or not. */
  reason: z.string(),
})

/** What came of it. */
export type RunResult = z.infer<typeof dailyResult> | z.infer<typeof trainResult>

const problemSchema = z.object({
  kind: z.enum(['usage', 'failed']),
  code: z.string(),
  /** A sentence for people. */
  message: z.string(),
})
/** Why nothing came of it: the parts of an error. */
export type RunProblem = z.infer<typeof problemSchema>

const progressSchema = z.object({ phase: z.string(), done: z.number(), total: z.number() })
/** `done` of `total` steps of a phase. */
export type RunProgress = z.infer<typeof progressSchema>

/** A run as it is kept. Times are ISO 8601; what is null is not known yet. */
export const runRecordSchema = z.object({
  /** Of the program's runs, from 1 on: later ones have larger numbers. */
  number: z.int().min(1),
  asked: askedSchema,
  /** Who wanted it: a person at the command line, a request, or the schedule of the program file. */
  cause: z.enum(['command', 'api', 'schedule']),
  status: z.enum(runStatuses),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  /** How often it was begun: one whose process died is begun again. */
  attempts: z.int(),
  /** Number of the run that this one repeats. */
  retryOf: z.int().nullable(),
  /** `redis`: it outlives the process that added it. */
  queue: z.enum(['process', 'redis']),
  progress: progressSchema.nullable().default(null),
  result: z.union([dailyResult, trainResult]).nullable(),
  problem: problemSchema.nullable(),
})
export type RunRecord = z.infer<typeof runRecordSchema>

/** Reads what was noted of how far a run is; null where that says nothing. */
export function readProgress(text: string): RunProgress | null {
  try {
    return progressSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Whether something more happens to a run. */
export function isOpen({ status }: Pick<RunRecord, 'status'>): boolean {
  return status === 'queued' || status === 'running'
}
