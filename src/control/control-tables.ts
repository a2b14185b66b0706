import type { Generated, Migration } from 'kysely'
import { type WebhookTables, webhookMigration } from './webhook-tables.ts'

/** A question that is answered in the background. Times are ISO 8601; what is null is not known yet. */
export interface QuestionJobRow {
  /** Later ones have larger numbers. */
  readonly number: Generated<number>
  readonly id: string
  readonly status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted'
  /** As it was asked, JSON. */
  readonly question: string
  /** The saved scenario that it asks. */
  readonly scenario_id: string | null
  readonly created_at: string
  readonly started_at: string | null
  readonly finished_at: string | null
  /** The process that answers it. */
  readonly owner: string
  /** The answer, JSON. */
  readonly result: string | null
  /** What stood in the way, JSON. */
  readonly problem: string | null
  /** The job whose question it asks again. */
  readonly retry_of: string | null
}

/** A question under a name, to be asked again. */
export interface ScenarioRow {
  readonly number: Generated<number>
  readonly id: string
  readonly name: string
  /** As it was given, JSON. */
  readonly question: string
  readonly created_at: string
}

/** What a saved scenario was answered with once. */
export interface AnswerRow {
  readonly number: Generated<number>
  readonly scenario_id: string
  readonly answered_at: string
  readonly date: string
  readonly model_version: string
  readonly is_full: 0 | 1
  /** The differences, JSON. */
  readonly headlines: string
}

export interface ControlTables extends WebhookTables {
  readonly question_jobs: QuestionJobRow
  readonly scenarios: ScenarioRow
  readonly scenario_answers: AnswerRow
}

/** Every change of the tables, in order. What has been released never changes: a later one is added. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-questions': {
    async up(database) {
      await database.schema
        .createTable('question_jobs')
        .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('question', 'text', (column) => column.notNull())
        .addColumn('scenario_id', 'text')
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('started_at', 'text')
        .addColumn('finished_at', 'text')
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('result', 'text')
        .addColumn('problem', 'text')
        .execute()
      await database.schema
        .createTable('scenarios')
        .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('question', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .execute()
      await database.schema
        .createTable('scenario_answers')
        .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('scenario_id', 'text', (column) =>
          column.notNull().references('scenarios.id').onDelete('cascade'),
        )
        .addColumn('answered_at', 'text', (column) => column.notNull())
        .addColumn('date', 'text', (column) => column.notNull())
        .addColumn('model_version', 'text', (column) => column.notNull())
        .addColumn('is_full', 'integer', (column) => column.notNull())
        .addColumn('headlines', 'text', (column) => column.notNull())
        .execute()
      await database.schema
        .createIndex('answers_of_scenario')
        .on('scenario_answers')
        .columns(['scenario_id', 'number'])
        .execute()
    },
  },
  '002-webhooks': webhookMigration,
  '003-retries': {
    async up(database) {
      await database.schema.alterTable('question_jobs').addColumn('retry_of', 'text').execute()
    },
  },
}
