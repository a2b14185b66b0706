import { z } from 'zod'
import type { Program } from '../domain/program.ts'
import { parseFields } from '../engage/export-fields.ts'
import type { ExportField } from '../engage/export-shapes.ts'
import type { Line } from './day-rows.ts'
import { refused } from './field-tests.ts'

/** Which columns are wanted. */
export const fieldsParameter = z
  .string()
  .min(1, 'is empty; leave it out for all')
  .max(8000, 'is longer than 8000 characters')
  .optional()

/** The columns that are wanted; null: all. **Errors** `invalid-request` with what there is. */
export function readFields(text: string | undefined, program: Program): ExportField[] | null {
  if (text === undefined) return null
  const fields = parseFields(text, program)
  if (typeof fields === 'string') throw refused('fields', fields)
  return fields
}

/** The same where columns keep their names. */
export function readColumns(text: string | undefined, program: Program): string[] | null {
  const fields = readFields(text, program)
  const renamed = fields?.find(({ column, as }) => column !== as)
  if (renamed)
    throw refused('fields', `gives ${renamed.column} another name, which pulls in bulk can do only`)
  return fields?.map(({ column }) => column) ?? null
}

/** A row with these columns only, in their order. */
export function pickFields(line: Line, columns: readonly string[]): string {
  const row = JSON.parse(line.toString())
  return JSON.stringify(Object.fromEntries(columns.map((name) => [name, row[name]])))
}
