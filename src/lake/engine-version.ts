import { version } from '@duckdb/node-api'

/** Of DuckDB as it is loaded, such as `v1.5.5`. */
export function engineVersion(): string {
  return version()
}
