import { type AnswerLabels, answerCount, type HazardLabels } from '../src/model/member.ts'

/** Share of the known labels of each interval in which the event fell, over one or more sets of rows, weighed. */
export function baseHazards(...sets: readonly HazardLabels[]): number[] {
  const { intervals } = sets[0]
  return Array.from({ length: intervals }, (_, j) => {
    let all = 1
    let fell = 0.5
    for (const { weight, known, happened } of sets) {
      for (let row = 0; row < weight.length; row++) {
        const own = weight[row] * known[row * intervals + j]
        all += own
        fell += own * happened[row * intervals + j]
      }
    }
    return fell / all
  })
}

/** Share of each answer, 0 to 10; never zero. */
export function baseAnswers(...sets: readonly Pick<AnswerLabels, 'score' | 'weight'>[]): number[] {
  const sums = new Array<number>(answerCount).fill(0.1)
  for (const { score: scores, weight } of sets) {
    scores.forEach((score, i) => {
      sums[score] += weight[i]
    })
  }
  const total = sums.reduce((sum, value) => sum + value, 0)
  return sums.map((sum) => sum / total)
}
