import { z } from 'zod'
import type { QuestionJobs } from '../control/question-jobs.ts'
import type { Program } from '../domain/program.ts'
import { webhookEvent } from './event-catalogue.ts'
import type { WebhookSource } from './webhook-source.ts'

/**
 * Jobs do not finish in the order in which they were asked. All up to number `upTo` have been told, and of the later
 * ones those of these numbers.
 */
const positionSchema = z.object({ upTo: z.number(), told: z.array(z.number()) })
type Position = z.infer<typeof positionSchema>

/** Says that a question has been answered in the background. The control state keeps the last 200 jobs: older ones go untold. */
export function jobSource(jobs: QuestionJobs, program: Pick<Program, 'name'>): WebhookSource {
  return {
    name: 'jobs',
    present: async () => write(await readFrom(jobs, { upTo: 0, told: [] })),
    async read(after) {
      const position = positionSchema.parse(JSON.parse(after))
      const read = await readFrom(jobs, position)
      const events = read.finished.map(({ id, status, finishedAt, scenarioId }) =>
        webhookEvent('job.finished', finishedAt, {
          program: program.name,
          job_id: id,
          status,
          scenario_id: scenarioId,
        }),
      )
      return { events, position: write(read) }
    },
  }
}

async function readFrom(jobs: QuestionJobs, { upTo, told }: Position) {
  const { finished, firstOpen } = await jobs.finishedAfter(upTo)
  const numbers = finished.map(({ number }) => number)
  const next = firstOpen === null ? Math.max(upTo, ...numbers) : firstOpen - 1
  return {
    finished: finished.filter(({ number }) => !told.includes(number)),
    upTo: next,
    told: numbers.filter((number) => number > next),
  }
}

function write({ upTo, told }: Position): string {
  return JSON.stringify({ upTo, told })
}
