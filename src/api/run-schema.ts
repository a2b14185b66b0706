import { z } from 'zod'
import { type AskedRun, type RunRecord, runKinds, runStatuses } from '../domain/run.ts'
import { daySchema, programParams } from './prediction-schema.ts'

const mostTrainingRows = 100_000_000
const rowsWords = `is a whole number from 1 to ${mostTrainingRows}`

/** What can be asked for. */
export const askedRunBody = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('daily'), date: daySchema }).meta({
      description: 'Ingests, then predicts everybody at risk on a day',
    }),
    z
      .strictObject({
        kind: z.literal('train'),
        as_of: daySchema.optional().meta({
          description: 'Only what is known at the end of this day; without it the last day with data',
        }),
        max_rows: z
          .number(rowsWords)
          .int(rowsWords)
          .min(1, rowsWords)
          .max(mostTrainingRows, rowsWords)
          .optional()
          .meta({ description: 'Most rows of the training table; without it 200,000', examples: [50_000] }),
      })
      .meta({ description: 'Ingests, then learns, judges and publishes a version' }),
  ])
  .meta({ description: 'What is to be done' })

/** What was asked for in a body. */
export function askedRunOf(body: z.output<typeof askedRunBody>): AskedRun {
  if (body.kind === 'daily') return body
  return { kind: body.kind, asOf: body.as_of ?? null, maxRows: body.max_rows ?? null }
}

export const runParams = programParams.extend({
  run_id: z
    .string()
    .max(64, 'is longer than any id')
    .meta({ description: 'As it was given', examples: ['12'] }),
})

const dailyResult = z
  .object({
    model_version: z.string(),
    customers: z.int().meta({ description: 'At risk on the day' }),
    predicted: z.int(),
    abstained: z.int(),
  })
  .meta({ id: 'DailyResult', description: 'A day that is published' })

const trainingResult = z
  .object({
    version: z.string(),
    as_of: z.string(),
    promoted: z.boolean().meta({ description: 'Whether it serves now' }),
    reason: z.string().meta({ description: 'Why it does or does not' }),
  })
  .meta({ id: 'TrainingResult', description: 'A version that is published' })

export const runSchema = z
  .object({
    id: z.string().meta({ description: 'Later runs of a program have larger numbers', examples: ['12'] }),
    program: z.string(),
    kind: z.enum(runKinds),
    date: z.string().nullable().meta({ description: 'The day that is predicted' }),
    as_of: z.string().nullable().meta({ description: 'Of a training; null: the last day with data' }),
    max_rows: z.int().nullable().meta({ description: 'Of a training; null: 200,000' }),
    cause: z.enum(['command', 'api', 'schedule']).meta({
      description:
        'Who wanted it: a person at the command line, a request, or the schedule of the program file',
    }),
    status: z.enum(runStatuses).meta({
      description:
        'interrupted: its process ended before it was done. Nothing half-done can be seen; retry it',
    }),
    created_at: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    attempts: z.int().meta({ description: 'How often it was begun: one whose process died is begun again' }),
    retry_of: z.string().nullable().meta({ description: 'The run that it repeats' }),
    progress: z
      .object({ phase: z.string(), done: z.number(), total: z.number() })
      .nullable()
      .meta({ description: 'While it is running, about every half second; null where not known' }),
    result: z.union([dailyResult, trainingResult]).nullable().meta({ description: 'What came of it' }),
    problem: z
      .object({ code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'Why nothing came of it, for people' }),
  })
  .meta({ id: 'Run', description: 'A daily run or a training' })

/** A run as it is sent. */
export function runBody(program: string, run: RunRecord): z.input<typeof runSchema> {
  const { asked, problem } = run
  return {
    id: String(run.number),
    program,
    kind: asked.kind,
    date: asked.kind === 'daily' ? asked.date : null,
    as_of: asked.kind === 'train' ? asked.asOf : null,
    max_rows: asked.kind === 'train' ? asked.maxRows : null,
    cause: run.cause,
    status: run.status,
    created_at: run.createdAt,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    attempts: run.attempts,
    retry_of: run.retryOf === null ? null : String(run.retryOf),
    progress: run.progress,
    result: resultBody(run.result),
    problem: problem && { code: problem.code, detail: problem.message },
  }
}

function resultBody(result: RunRecord['result']): z.input<typeof runSchema>['result'] {
  if (result === null) return null
  if ('customers' in result) {
    const { modelVersion: model_version, customers, predicted, abstained } = result
    return { model_version, customers, predicted, abstained }
  }
  const { version, asOf: as_of, promoted, reason } = result
  return { version, as_of, promoted, reason }
}
