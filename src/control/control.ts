import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from '../domain/program.ts'
import { type ControlTables, migrations } from './control-tables.ts'
import { QuestionJobs } from './question-jobs.ts'
import { SavedScenarios } from './saved-scenarios.ts'
import { openSqliteFile } from './sqlite-file.ts'
import { openWebhooks, type Webhooks } from './webhooks.ts'

/** What people made in a program and no source can give back. Several processes may have it open. */
export interface Control {
  readonly jobs: QuestionJobs
  readonly scenarios: SavedScenarios
  readonly webhooks: Webhooks
  close(): Promise<void>
}

/** The file: beside the lake's folder, so that a lake may be deleted and read anew without losing it. */
export function controlPath(dataFolder: string, { name }: Pick<Program, 'name'>): string {
  return join(dataFolder, `${name}.control.sqlite`)
}

/** Opens the control state of a program; makes it where there is none. **Errors** `control` where it cannot be used. */
export async function openControl(dataFolder: string, program: Pick<Program, 'name'>): Promise<Control> {
  const tables = await openSqliteFile<ControlTables>(controlPath(dataFolder, program), migrations)
  return {
    jobs: new QuestionJobs(tables),
    scenarios: new SavedScenarios(tables),
    webhooks: openWebhooks(tables),
    close: () => tables.destroy(),
  }
}

/** The control state of a program; null where nothing was ever kept. */
export async function findControl(
  dataFolder: string,
  program: Pick<Program, 'name'>,
): Promise<Control | null> {
  return existsSync(controlPath(dataFolder, program)) ? openControl(dataFolder, program) : null
}
