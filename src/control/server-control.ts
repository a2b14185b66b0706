import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ApiKeys } from './api-keys.ts'
import { AuditLog } from './audit-log.ts'
import { type ServerTables, serverMigrations } from './server-tables.ts'
import { openSqliteFile } from './sqlite-file.ts'

/** What belongs to no program: who may do what, and who did. Several processes may have it open. */
export interface ServerControl {
  readonly keys: ApiKeys
  readonly audit: AuditLog
  close(): Promise<void>
}

/** The file: beside the lakes. */
export function serverControlPath(dataFolder: string): string {
  return join(dataFolder, 'server.sqlite')
}

/** Opens what belongs to no program; makes it where there is none. **Errors** `control` where it cannot be used. */
export async function openServerControl(dataFolder: string): Promise<ServerControl> {
  const tables = await openSqliteFile<ServerTables>(serverControlPath(dataFolder), serverMigrations)
  return { keys: new ApiKeys(tables), audit: new AuditLog(tables), close: () => tables.destroy() }
}

/** The same; null where nothing was ever kept. */
export async function findServerControl(dataFolder: string): Promise<ServerControl | null> {
  return existsSync(serverControlPath(dataFolder)) ? openServerControl(dataFolder) : null
}
