import type { Kysely, Selectable, Updateable } from 'kysely'
import { fateOf, processName } from '../lake/process-name.ts'
import type { ControlTables, QuestionJobRow } from './control-tables.ts'

export type JobStatus = QuestionJobRow['status']

/** Why a job has no result: the parts of an error. */
export interface JobProblem {
  readonly kind: 'usage' | 'failed'
  readonly code: string
  readonly message: string
}

/** A question that is answered in the background. Times are ISO 8601. */
export interface QuestionJob {
  readonly id: string
  readonly status: JobStatus
  /** As it was asked. */
  readonly question: unknown
  readonly scenarioId: string | null
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly result: unknown
  readonly problem: JobProblem | null
  /** The job whose question it asks again. */
  readonly retryOf: string | null
}

/** A job that nothing more happens to. */
export interface FinishedJob {
  /** Later ones have larger numbers. */
  readonly number: number
  readonly id: string
  readonly status: 'done' | 'failed' | 'cancelled' | 'interrupted'
  readonly finishedAt: string
  readonly scenarioId: string | null
}

/** Jobs that are kept: the latest of a program. */
const mostKept = 200

/** The questions that are answered in the background, with what came of them. Finished ones outlive the process. */
export class QuestionJobs {
  readonly #tables: Kysely<ControlTables>

  constructor(tables: Kysely<ControlTables>) {
    this.#tables = tables
  }

  /** Adds a job that this process will answer, and forgets the oldest ones that are finished. */
  async add(
    job: Pick<QuestionJob, 'id' | 'question' | 'scenarioId' | 'createdAt'> &
      Partial<Pick<QuestionJob, 'retryOf'>>,
  ): Promise<QuestionJob | null> {
    await this.#tables
      .insertInto('question_jobs')
      .values({
        id: job.id,
        status: 'queued',
        question: JSON.stringify(job.question),
        scenario_id: job.scenarioId,
        retry_of: job.retryOf ?? null,
        created_at: job.createdAt,
        owner: await processName(),
      })
      .execute()
    await this.#tables
      .deleteFrom('question_jobs')
      .where('status', 'not in', ['queued', 'running'])
      .where('number', 'not in', (jobs) =>
        jobs.selectFrom('question_jobs').select('number').orderBy('number', 'desc').limit(mostKept),
      )
      .execute()
    return this.find(job.id)
  }

  async start(id: string, at: string): Promise<void> {
    await this.#update(id, { status: 'running', started_at: at })
  }

  /** @param json the answer. */
  async finish(id: string, { at, json }: { at: string; json: string }): Promise<void> {
    await this.#update(id, { status: 'done', finished_at: at, result: json })
  }

  async fail(id: string, { at, problem }: { at: string; problem: JobProblem }): Promise<void> {
    await this.#update(id, { status: 'failed', finished_at: at, problem: JSON.stringify(problem) })
  }

  /** Says of a job that nobody goes on with it. */
  async interrupt(id: string, at: string): Promise<void> {
    await this.#update(id, { status: 'interrupted', finished_at: at })
  }

  /** Says of a job that nobody wants its answer any more. False where it had ended before. */
  async cancel(id: string, at: string): Promise<boolean> {
    return this.#update(id, { status: 'cancelled', finished_at: at })
  }

  /** Says so of the jobs of processes that are not known to run: call it when a process starts that answers jobs. */
  async interruptAbandoned(at: string): Promise<void> {
    const unfinished = await this.#tables
      .selectFrom('question_jobs')
      .select(['id', 'owner'])
      .where('status', 'in', ['queued', 'running'])
      .execute()
    for (const { id, owner } of unfinished) if ((await fateOf(owner)) !== 'runs') await this.interrupt(id, at)
  }

  /** Null where there is none of that id, or it is no longer kept. */
  async find(id: string): Promise<QuestionJob | null> {
    const row = await this.#tables
      .selectFrom('question_jobs')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    if (row === undefined) return null
    const isOpen = row.status === 'queued' || row.status === 'running'
    // A server beside this one may have been killed.
    return jobOf(isOpen && (await fateOf(row.owner)) === 'gone' ? { ...row, status: 'interrupted' } : row)
  }

  /** The finished jobs behind a number, oldest first, and the number of the first one there that is not. */
  async finishedAfter(
    number: number,
  ): Promise<{ readonly finished: readonly FinishedJob[]; readonly firstOpen: number | null }> {
    const rows = await this.#tables
      .selectFrom('question_jobs')
      .select(['number', 'id', 'status', 'scenario_id as scenarioId'])
      .select(({ fn }) => fn.coalesce('finished_at', 'created_at').as('finishedAt'))
      .where('number', '>', number)
      .orderBy('number')
      .execute()
    const isFinished = (row: { readonly status: JobStatus }) =>
      row.status !== 'queued' && row.status !== 'running'
    const firstOpen = rows.find((row) => !isFinished(row))?.number ?? null
    return { finished: rows.filter(isFinished) as FinishedJob[], firstOpen }
  }

  /** Changes a job unless it has ended; false where it had. */
  async #update(id: string, values: Updateable<QuestionJobRow>): Promise<boolean> {
    const { numUpdatedRows } = await this.#tables
      .updateTable('question_jobs')
      .set(values)
      .where('id', '=', id)
      .where('status', 'in', ['queued', 'running'])
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }
}

function jobOf(row: Selectable<QuestionJobRow>): QuestionJob {
  return {
    id: row.id,
    status: row.status,
    question: JSON.parse(row.question),
    scenarioId: row.scenario_id,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    result: row.result === null ? null : JSON.parse(row.result),
    problem: row.problem === null ? null : JSON.parse(row.problem),
    retryOf: row.retry_of,
  }
}
