import type { PredictionColumn } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { quoteName, quoteText } from '../lake/database.ts'
import { columnOrNull, lineSql, type PredictionFile } from '../lake/read-predictions.ts'

/** How rows are written. */
export const exportFormats = ['csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** CRM systems whose bulk interfaces rows can be shaped for. */
export const crmSystems = ['hubspot', 'salesforce'] as const
export type CrmSystem = (typeof crmSystems)[number]

/** The format that a system takes: HubSpot's batches are JSON, a line each; Bulk API 2.0 of Salesforce takes CSV. */
export const crmFormats: Readonly<Record<CrmSystem, ExportFormat>> = { hubspot: 'ndjson', salesforce: 'csv' }

/** A column under the name that it goes out with. */
export interface ExportField {
  readonly column: string
  readonly as: string
}

/** What goes out, and in which form. */
export interface ExportShape {
  readonly format: ExportFormat
  readonly crm: CrmSystem | null
  /** Null: all columns, for a CRM system those it has a use for. */
  readonly fields: readonly ExportField[] | null
  /** The name of the field that a CRM system finds a customer by; null: its usual one. */
  readonly idField: string | null
}

/** All columns as they are. */
export function plainShape(format: ExportFormat): ExportShape {
  return { format, crm: null, fields: null, idField: null }
}

/** How a copy is written: a select of columns, or of one text a line as it is. */
export interface ShapedSelect {
  readonly select: string
  readonly form: 'lines' | 'csv' | 'parquet'
  /** What stands for a missing value in CSV. */
  readonly missing: string
}

/** Bulk API 2.0 leaves a field as it was where the value is empty, and clears it where it is this. */
const clearsField = '#N/A'

/** Most objects of a HubSpot batch. */
const batchRows = 100

const usualIds: Readonly<Record<CrmSystem, string>> = {
  hubspot: 'customer_id',
  salesforce: 'Customer_Id__c',
}

/** What a CRM system has a use for: figures at the longest horizon, money, the day, and what to do. */
function usualFields({ horizonsDays, outcomes }: Program, crm: CrmSystem): ExportField[] {
  const longest = horizonsDays[horizonsDays.length - 1]
  const columns = [
    ...['date', 'nps_score', 'nps_class', 'p_detractor', 'p_promoter'],
    ...outcomes.map(({ name }) => `${name}_${longest}`),
    ...['value_at_risk', 'expected_gain', 'expected_value_12m', 'next_likely', 'segment'],
  ]
  return columns.map((column) => ({ column, as: usualName(column, crm) }))
}

/** A custom property or field: HubSpot's names are small letters, those of Salesforce end in `__c`. */
function usualName(column: string, crm: CrmSystem): string {
  return crm === 'hubspot' ? `loyalcast_${column}` : `Loyalcast_${column}__c`
}

/** The rows of a file in a shape, as SQL over them that keeps their order. */
export function shapeSelect(
  file: PredictionFile,
  program: Program,
  { columns, shape }: { readonly columns: readonly PredictionColumn[]; readonly shape: ExportShape },
): ShapedSelect {
  const { crm, format } = shape
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  const value = (column: string) => {
    const type = types.get(column)
    const sql = columnOrNull(file, column, type === 'double' ? 'double' : 'varchar')
    return type === 'date' && format === 'parquet' ? `${sql}::date` : sql
  }
  const picked = (fields: readonly ExportField[]) =>
    fields.map(({ column, as }) => `${value(column)} as ${quoteName(as)}`).join(', ')
  if (crm === 'hubspot') {
    const id = shape.idField ?? usualIds.hubspot
    const properties = (shape.fields ?? usualFields(program, crm)).map(
      ({ column, as }) => `${quoteName(as)} := coalesce(${value(column)}::varchar, '')`,
    )
    const select = `to_json(struct_pack(id := customer_id, "idProperty" := ${quoteText(id)}, properties := struct_pack(${properties.join(', ')})))::varchar`
    return { select, form: 'lines', missing: '' }
  }
  if (crm === 'salesforce') {
    const id = { column: 'customer_id', as: shape.idField ?? usualIds.salesforce }
    return {
      select: picked([id, ...(shape.fields ?? usualFields(program, crm))]),
      form: 'csv',
      missing: clearsField,
    }
  }
  const all = columns.map(({ name }) => ({ column: name, as: name }))
  if (format !== 'ndjson') return { select: picked(shape.fields ?? all), form: format, missing: '' }
  const select = shape.fields === null ? lineSql(file, columns) : namedLineSql(file, columns, shape.fields)
  return { select, form: 'lines', missing: '' }
}

/** A row as JSON under other names; columns that hold JSON stay nested. */
function namedLineSql(
  file: PredictionFile,
  columns: readonly PredictionColumn[],
  fields: readonly ExportField[],
): string {
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  const parts = fields.map(({ column, as }) => {
    const sql = columnOrNull(file, column, types.get(column) === 'double' ? 'double' : 'varchar')
    const isNested = column === 'top_drivers' || column === 'flags'
    return `${quoteText(`${JSON.stringify(as)}:`)} || coalesce(${isNested ? sql : `to_json(${sql})::varchar`}, 'null')`
  })
  return `'{' || ${parts.join(` || ',' || `)} || '}'`
}

/** HubSpot takes batches: each is the body of one request to `/crm/v3/objects/contacts/batch/update`. */
export async function* batched(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let batch: string[] = []
  for await (const line of lines) {
    batch.push(line)
    if (batch.length < batchRows) continue
    yield `{"inputs":[${batch.join(',')}]}\n`
    batch = []
  }
  if (batch.length > 0) yield `{"inputs":[${batch.join(',')}]}\n`
}
