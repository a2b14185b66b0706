import { budgetReport } from './budget-report.ts'
import { compareReport } from './compare-report.ts'
import { goalReport } from './goal-report.ts'
import type { ReportInputs } from './inputs.ts'
import type { Markup } from './markup.ts'
import { page } from './page.ts'
import { scenarioReport } from './scenario-report.ts'
import { sweepReport } from './sweep-report.ts'

/**
 * An answer as one HTML page that can be handed on: charts and style are in it, and nothing is fetched or run. The same
 * answer gives the same bytes.
 */
export function renderReport(inputs: ReportInputs): string {
  return page(
    nameOf(inputs),
    sectionsOf(inputs).filter((section) => section !== null),
  )
}

/** A form of question, a line here. */
function sectionsOf({ answer, ...subject }: ReportInputs): (Markup | null)[] {
  switch (answer.kind) {
    case 'scenario':
      return scenarioReport(answer.report, subject)
    case 'compare':
      return compareReport(answer.compare, subject)
    case 'sweep':
      return sweepReport(answer, subject)
    case 'goal':
      return goalReport(answer, subject)
    case 'budget':
      return budgetReport(answer.budget, subject)
  }
}

function nameOf({ answer }: ReportInputs): string {
  switch (answer.kind) {
    case 'scenario':
      return answer.report.name
    case 'compare':
      return answer.compare.map(({ name }) => name).join(', ')
    case 'sweep':
    case 'goal':
      return answer.origin.name
    case 'budget':
      return answer.budget.name
  }
}
