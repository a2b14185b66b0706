import type { AnswerLabels, HazardLabels, LearningSet } from './member.ts'

/** Labels found by row: which rows teach anything, and which answers belong to a row. */
export interface RowLabels {
  readonly outcomes: readonly HazardLabels[]
  readonly answers: AnswerLabels | null
  /** Rows with any label of positive weight, ascending. Others are never looked at. */
  readonly labelledRows: Int32Array
  /** Answers of row r: `answerOrder[answerStart[r]]` up to, but not with, `answerOrder[answerStart[r + 1]]`. */
  readonly answerStart: Int32Array
  readonly answerOrder: Int32Array
  /** Weight of all labels of a task: the outcomes in order, then the answers. */
  readonly totals: readonly number[]
}

/** Finds labels by row. */
export function indexLabels(learning: LearningSet): RowLabels {
  const rows = learning.features.rows
  const { outcomes, answers } = learning
  const isLabelled = new Uint8Array(rows)
  const totals = outcomes.map((outcome) => {
    let total = 0
    for (let row = 0; row < rows; row++) {
      if (!(outcome.weight[row] > 0) || !isAnyKnown(outcome, row)) continue
      isLabelled[row] = 1
      total += outcome.weight[row]
    }
    return total
  })
  const { answerStart, answerOrder } = groupAnswers(answers, rows)
  if (answers !== null) {
    for (const answer of answerOrder) isLabelled[answers.row[answer]] = 1
    totals.push(answerOrder.reduce((sum, answer) => sum + answers.weight[answer], 0))
  }
  const labelledRows = Int32Array.from(isLabelled.keys()).filter((row) => isLabelled[row] === 1)
  return { outcomes, answers, labelledRows, answerStart, answerOrder, totals }
}

/**
 * Strength of each task, per unit of its label weight, in a loss that is a sum over the rows.
 *
 * A task with few labels counts for the square root of its share: by share alone the trunk would ignore surveys
 * answered by 2%; counted in full, a few noisy answers would steer what everybody's outcomes depend on.
 * A dense task of weight 1 a row has strength 1 / rows.
 */
export function taskStrengths(labels: RowLabels): number[] {
  const largest = Math.max(...labels.totals)
  return labels.totals.map((total) => (total > 0 ? Math.sqrt(largest / total) / largest : 0))
}

function isAnyKnown({ known, intervals }: HazardLabels, row: number): boolean {
  for (let j = row * intervals; j < (row + 1) * intervals; j++) if (known[j] === 1) return true
  return false
}

/** Answers of positive weight, sorted by row (a counting sort, so that equal rows keep their order). */
function groupAnswers(answers: AnswerLabels | null, rows: number) {
  const answerStart = new Int32Array(rows + 1)
  if (answers === null) return { answerStart, answerOrder: new Int32Array(0) }
  const counted = answers.weight.reduce<number[]>((kept, weight, answer) => {
    if (weight > 0) kept.push(answer)
    return kept
  }, [])
  for (const answer of counted) answerStart[answers.row[answer] + 1]++
  for (let row = 0; row < rows; row++) answerStart[row + 1] += answerStart[row]
  const next = answerStart.slice()
  const answerOrder = new Int32Array(counted.length)
  for (const answer of counted) answerOrder[next[answers.row[answer]]++] = answer
  return { answerStart, answerOrder }
}
