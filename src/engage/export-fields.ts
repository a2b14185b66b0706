import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { nearest, show } from '../domain/program-problems.ts'
import type { ExportField } from './export-shapes.ts'

/** Most columns that can be asked for. */
const mostFields = 200
const longestName = 100

/**
 * Columns with commas between, each as `name` or, to go out under another name, as `name:other`.
 *
 * @returns the fields, or in words what is wrong with the text.
 */
export function parseFields(text: string, program: Program): ExportField[] | string {
  const known = predictionColumns(program).map(({ name }) => name)
  const fields: ExportField[] = []
  for (const part of text.split(',')) {
    const [column, as = column, ...more] = part.split(':').map((one) => one.trim())
    if (!known.includes(column)) {
      const near = nearest(column, known)
      const hint = near === null ? '' : ` Did you mean ${near}?`
      return `names ${show(column)}, which is no column.${hint} Allowed: ${known.join(', ')}`
    }
    if (more.length > 0 || !/^[\p{L}_][\p{L}\p{N}_.\- ]*$/u.test(as) || as.length > longestName)
      return `calls ${column} ${show(part)}; a name begins with a letter and holds letters, digits, _, -, . and spaces, up to ${longestName}`
    if (fields.some((field) => field.as === as)) return `has two columns called ${as}`
    fields.push({ column, as })
  }
  return fields.length > mostFields ? `names more than ${mostFields} columns` : fields
}
