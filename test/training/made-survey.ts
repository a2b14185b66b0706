import type { AnswerModel } from '../../src/model/predictor.ts'
import type { Dataset } from '../../training/dataset.ts'
import type { ForecastPanel } from '../../training/forecast-panel.ts'
import type { HeldOut } from '../../training/held-out.ts'
import type { AnswerWeights } from '../../training/labelled.ts'
import { labelBlock } from '../../training/labelled.ts'
import type { ResponseObservations } from '../../training/response-observations.ts'
import { chanceOf, logistic } from '../model/simulated.ts'
import { type MadeRow, madeDataset } from './made-dataset.ts'

/** How a made survey went: everybody is invited once, on the day after their cutoff. */
export interface SurveyLaw {
  readonly customers: number
  readonly seed: number
  /** Chance to answer by what is known (x, standard normal) and by what nobody sees (another one). */
  readonly answering: (x: number, hidden: number) => number
  /** Weight that the survey gives an answer. */
  readonly surveyWeight?: (x: number) => number
}

/** Cutoffs of the two halves of the customers. */
export const firstDay = 1000
export const laterDay = 1100

/** A survey of which everything is known: promoters are more frequent the higher x and what nobody sees. */
export function makeSurvey({ customers, seed, answering, surveyWeight = () => 1 }: SurveyLaw) {
  const chance = chanceOf(seed)
  const people = Array.from({ length: customers }, (_, customer) => {
    const [x, hidden] = [chance.normal(), chance.normal()]
    const isPromoter = chance.uniform() < logistic(x + 0.8 * hidden)
    const cutoff = customer % 2 ? laterDay : firstDay
    return {
      customer,
      x,
      cutoff,
      score: isPromoter ? 10 : 2,
      answers: chance.uniform() < answering(x, hidden),
    }
  })
  const rows: MadeRow[] = people.map(({ customer, cutoff, x }) => ({ customer, cutoff, features: { x } }))
  const given = people.filter(({ answers }) => answers)
  const dataset: Dataset = madeDataset(rows, {
    answers: {
      row: Int32Array.from(given, ({ customer }) => customer),
      leadDays: new Float32Array(given.length),
      score: Uint8Array.from(given, ({ score }) => score),
      answer: Int32Array.from(given, (_, answer) => answer),
      surveyWeight: Float32Array.from(given, ({ x }) => surveyWeight(x)),
    },
  })
  const observed: ResponseObservations = {
    kind: 'invitations',
    frame: dataset.frame,
    customer: dataset.customer,
    knownOn: dataset.cutoff.map((cutoff) => cutoff + 15),
    hasAnswered: Uint8Array.from(people, ({ answers }) => (answers ? 1 : 0)),
    weight: new Float32Array(customers).fill(1),
    otherNetScore: new Float64Array(customers).fill(Number.NaN),
  }
  const promoters = people.filter(({ score }) => score === 10).length
  return { dataset, observed, people, given, truth: (200 * promoters) / customers - 100 }
}

/** Promoters and detractors, as likely as each other, whatever is known of a customer. */
export const evenModel: AnswerModel = {
  hasSkill: false,
  base: [0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0.5],
  weights: [],
  calibrator: { kind: 'none', intercept: 0, slope: 1 },
  conformal: { classes: [], all: 0 } as never,
  surrogate: null,
}

/** Held-out answers of both halves, weighed. */
export function heldOutOf(dataset: Dataset, answerWeights: AnswerWeights): HeldOut[] {
  const tasks = { outcomes: [], hasAnswers: true, skipped: {} }
  return [firstDay, laterDay].map((day) => {
    const rows = Int32Array.from(
      Array.from(dataset.cutoff.keys()).filter((row) => dataset.cutoff[row] === day),
    )
    const labelled = labelBlock(
      dataset,
      { rows, censoredAfter: 2000 },
      { tasks, horizonsDays: [], answerWeights },
    )
    return { labelled, hazards: [], answers: [] }
  })
}

/** What an even model forecasts today of so many customers. */
export function evenPanel(rows: number): ForecastPanel {
  const distributions = Float64Array.from({ length: 11 * rows }, (_, at) => evenModel.base[at % 11])
  return {
    rows: Int32Array.from({ length: rows }, (_, row) => row),
    cutoff: new Int32Array(rows).fill(firstDay),
    leadsDays: [0],
    distributions: [distributions],
  }
}
