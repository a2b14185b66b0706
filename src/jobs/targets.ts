import type { BudgetReport } from './budget-report.ts'
import { formatOf, writeRows } from './row-file.ts'

/**
 * Writes those whom a budget pays for to a file for a CRM job, in the order in which they are chosen; returns how many.
 *
 * **Errors** `format` where the name of the file does not end in one, `storage` where it cannot be written.
 */
export async function writeTargets(report: BudgetReport, file: string): Promise<number> {
  const { program, date, chosen } = report
  const rows = chosen.map((own, place) => ({ program, date, place: place + 1, ...own }))
  const columns = {
    program: 'varchar',
    date: 'date',
    place: 'double',
    customer_id: 'varchar',
    initiative: 'varchar',
    arm: 'varchar',
    expected_gain: 'double',
    cost: 'double',
    net: 'double',
    risk: 'double',
  } as const
  await writeRows({ columns, rows }, { format: formatOf(file), file })
  return rows.length
}
