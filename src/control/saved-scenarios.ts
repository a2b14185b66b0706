import type { Kysely, Selectable } from 'kysely'
import type { AnswerRow, ControlTables, ScenarioRow } from './control-tables.ts'

/** What a saved scenario was answered with once. */
export interface RecordedAnswer {
  readonly answeredAt: string
  /** The day that was asked of. */
  readonly date: string
  readonly modelVersion: string
  /** Whether everybody was looked at instead of a sample. */
  readonly isFull: boolean
  /** The differences, as whoever recorded them told them. */
  readonly headlines: unknown
}

/** A question under a name, to be asked again. */
export interface SavedScenario {
  readonly id: string
  readonly name: string
  /** As it was given. */
  readonly question: unknown
  readonly createdAt: string
  readonly lastAnswer: RecordedAnswer | null
}

/** Where a page begins: behind the row of that number. Null: at the first. */
export interface ListPage {
  readonly after: number | null
  readonly limit: number
}

/** A row and its number, for the next page. */
export type Numbered<T> = T & { readonly number: number }

/** Answers that are kept of a scenario: the latest. */
const mostAnswers = 200

/** The questions that people keep, and what they were answered with. */
export class SavedScenarios {
  readonly #tables: Kysely<ControlTables>

  constructor(tables: Kysely<ControlTables>) {
    this.#tables = tables
  }

  async save({ id, name, question, createdAt }: Omit<SavedScenario, 'lastAnswer'>): Promise<void> {
    await this.#tables
      .insertInto('scenarios')
      .values({ id, name, question: JSON.stringify(question), created_at: createdAt })
      .execute()
  }

  /** Newest first. */
  async list({ after, limit }: ListPage): Promise<Numbered<SavedScenario>[]> {
    const rows = await this.#select()
      .$if(after !== null, (query) => query.where('scenarios.number', '<', after as number))
      .orderBy('scenarios.number', 'desc')
      .limit(limit)
      .execute()
    return rows.map(scenarioOf)
  }

  async find(id: string): Promise<SavedScenario | null> {
    const row = await this.#select().where('id', '=', id).executeTakeFirst()
    return row === undefined ? null : scenarioOf(row)
  }

  /** Forgets a scenario and its answers; false where there was none. */
  async remove(id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#tables
      .deleteFrom('scenarios')
      .where('id', '=', id)
      .executeTakeFirst()
    return numDeletedRows > 0n
  }

  /** Remembers an answer. Does nothing where the scenario has been removed meanwhile. */
  async record(id: string, answer: RecordedAnswer): Promise<void> {
    const { answeredAt, date, modelVersion, isFull, headlines } = answer
    await this.#tables
      .insertInto('scenario_answers')
      .columns(['scenario_id', 'answered_at', 'date', 'model_version', 'is_full', 'headlines'])
      .expression((rows) =>
        rows
          .selectFrom('scenarios')
          .select(({ val }) => [
            'id',
            val(answeredAt).as('answered_at'),
            val(date).as('date'),
            val(modelVersion).as('model_version'),
            val(isFull ? 1 : 0).as('is_full'),
            val(JSON.stringify(headlines)).as('headlines'),
          ])
          .where('id', '=', id),
      )
      .execute()
    await this.#tables
      .deleteFrom('scenario_answers')
      .where('scenario_id', '=', id)
      .where('number', 'not in', (answers) =>
        answers
          .selectFrom('scenario_answers')
          .select('number')
          .where('scenario_id', '=', id)
          .orderBy('number', 'desc')
          .limit(mostAnswers),
      )
      .execute()
  }

  /** Latest first. */
  async answers(id: string, { after, limit }: ListPage): Promise<Numbered<RecordedAnswer>[]> {
    const rows = await this.#tables
      .selectFrom('scenario_answers')
      .selectAll()
      .where('scenario_id', '=', id)
      .$if(after !== null, (query) => query.where('number', '<', after as number))
      .orderBy('number', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...answerOf(row), number: row.number }))
  }

  /** Scenarios, each with its latest answer. */
  #select() {
    return this.#tables
      .selectFrom('scenarios')
      .leftJoin('scenario_answers as last', (join) =>
        join.on('last.number', '=', (answers) =>
          answers
            .selectFrom('scenario_answers')
            .select(({ fn }) => fn.max('scenario_answers.number').as('number'))
            .whereRef('scenario_answers.scenario_id', '=', 'scenarios.id'),
        ),
      )
      .select(['scenarios.number', 'id', 'name', 'question', 'created_at'])
      .select(['answered_at', 'date', 'model_version', 'is_full', 'headlines'])
  }
}

type Answered = Omit<Selectable<AnswerRow>, 'number' | 'scenario_id'>
type Joined = Selectable<ScenarioRow> & { readonly [K in keyof Answered]: Answered[K] | null }

function scenarioOf(row: Joined): Numbered<SavedScenario> {
  return {
    number: row.number,
    id: row.id,
    name: row.name,
    question: JSON.parse(row.question),
    createdAt: row.created_at,
    lastAnswer: row.answered_at === null ? null : answerOf(row as Answered),
  }
}

function answerOf(row: Answered): RecordedAnswer {
  return {
    answeredAt: row.answered_at,
    date: row.date,
    modelVersion: row.model_version,
    isFull: row.is_full === 1,
    headlines: JSON.parse(row.headlines),
  }
}
