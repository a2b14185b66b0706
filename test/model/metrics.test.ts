import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answerLogLosses,
  detractorProbabilities,
  expectedAnswers,
  meanAbsoluteError,
  netPromoterScore,
  promoterProbabilities,
  rankedProbabilityScore,
  rankedProbabilityScores,
} from '../../src/model/answer-metrics.ts'
import {
  auc,
  averagePrecision,
  brier,
  expectedCalibrationError,
  liftAt,
  logLoss,
  reliabilityTable,
} from '../../src/model/metrics.ts'

// References: scikit-learn 1.x (roc_auc_score, average_precision_score, log_loss, brier_score_loss) on these rows;
// calibration error and RPS with numpy.
const probability = [
  0.8, 0.5, 0.4, 0.1, 0.3, 0.3, 0.4, 0.2, 0.4, 0.3, 0.1, 0.6, 0.6, 0.8, 0.4, 0.3, 0.2, 0.1, 0.7, 0.1, 0.1,
  0.3, 0.8, 0.4, 0.2, 0.2, 0.6, 0.3, 0.2, 0.3, 0.6, 0.9, 0.1, 0.2, 0.2, 0.05, 0.2, 0.2, 0.7, 0.3,
]
const happened = [
  1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0,
  1, 0, 1, 0,
]
const weight = [
  1.5, 0.6, 2, 1.8, 1.6, 1.1, 1.8, 1.6, 1.4, 1.9, 1.4, 0.8, 1.2, 0.5, 0.5, 1.6, 1.7, 2, 1.8, 1.2, 0.3, 1.1, 2,
  1.7, 1.1, 1, 0.5, 0.5, 0.2, 1.9, 1.4, 0.4, 0.9, 0.2, 0.5, 1.6, 1.4, 1.1, 0.6, 1.4,
]
const plain = { probability, happened }
const weighted = { probability, happened, weight }

describe('metrics of outcomes', () => {
  it('agree with scikit-learn to five decimals', () => {
    expect(auc(plain)).toBeCloseTo(0.6892230576, 5)
    expect(averagePrecision(plain)).toBeCloseTo(0.6463348055, 5)
    expect(logLoss(plain)).toBeCloseTo(0.6818636307, 5)
    expect(brier(plain)).toBeCloseTo(0.2435625, 5)
    expect(expectedCalibrationError(plain)).toBeCloseTo(0.20125, 5)
  })

  it('agree with scikit-learn where rows weigh', () => {
    expect(auc(weighted)).toBeCloseTo(0.7087010001, 5)
    expect(averagePrecision(weighted)).toBeCloseTo(0.5851228587, 5)
    expect(logLoss(weighted)).toBeCloseTo(0.6462715421, 5)
    expect(brier(weighted)).toBeCloseTo(0.2311506276, 5)
    expect(expectedCalibrationError(weighted)).toBeCloseTo(0.1926778243, 5)
  })

  it('lift counts the fitting fraction of a tie at the edge', () => {
    // Top 2 of 5: the .9 and half of the two tied at .6, one of which it happened to.
    const judged = { probability: [0.1, 0.6, 0.6, 0.9, 0.2], happened: [0, 1, 0, 1, 0] }
    expect(liftAt(judged, 0.4)).toBeCloseTo(1.5 / 2 / (2 / 5), 12)
    expect(liftAt({ probability: [0.5, 0.5], happened: [1, 0] })).toBeCloseTo(1, 12)
  })

  it('a ranking has no number where all rows are of one kind', () => {
    const never = { probability: [0.1, 0.2], happened: [0, 0] }
    expect([auc(never), averagePrecision(never), liftAt(never)]).toEqual([null, null, null])
  })

  it('bins of a reliability table hold all weight, from low to high', () => {
    const table = reliabilityTable(weighted, 5)
    expect(table.reduce((sum, bin) => sum + bin.weight, 0)).toBeCloseTo(
      weight.reduce((a, b) => a + b, 0),
      9,
    )
    expect(table.map(({ low }) => low)).toEqual(table.map(({ low }) => low).toSorted((a, b) => a - b))
    for (const bin of table) expect(bin.predicted).toBeGreaterThanOrEqual(bin.low)
  })

  it('a row of weight 2 counts like two rows, in any order', () => {
    const row = fc.record({
      p: fc.integer({ min: 1, max: 9 }).map((tenth) => tenth / 10),
      y: fc.integer({ min: 0, max: 1 }),
      w: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), (rows) => {
        const asWeights = {
          probability: rows.map(({ p }) => p),
          happened: rows.map(({ y }) => y),
          weight: rows.map(({ w }) => w),
        }
        const copies = rows.flatMap((one) => Array.from({ length: one.w }, () => one)).reverse()
        const asCopies = { probability: copies.map(({ p }) => p), happened: copies.map(({ y }) => y) }
        for (const metric of [auc, averagePrecision, logLoss, brier, expectedCalibrationError, liftAt]) {
          expect(metric(asWeights) ?? -1).toBeCloseTo(metric(asCopies) ?? -1, 9)
        }
      }),
    )
  })
})

const distributions = [
  [0.29, 0.003, 0.004, 0.053, 0.01, 0.087, 0.166, 0.103, 0.088, 0.098, 0.098],
  [
    0.017017, 0.134134, 0.135135, 0.257257, 0.009009, 0.108108, 0.067067, 0.015015, 0.13013, 0.01001,
    0.117117,
  ],
  [0.015, 0.041, 0.114, 0.09, 0.245, 0.02, 0.069, 0.001, 0.08, 0.038, 0.287],
  [0.222, 0.066, 0.284, 0.005, 0.081, 0.017, 0.07, 0.106, 0.106, 0.029, 0.014],
  [0.026973, 0, 0.067932, 0.141858, 0.101898, 0.062937, 0.107892, 0.024975, 0.02997, 0.421578, 0.013986],
  [0.077077, 0.002002, 0, 0.122122, 0.027027, 0.455455, 0.135135, 0.054054, 0.014014, 0.002002, 0.111111],
].flat()
const score = [8, 2, 8, 10, 8, 10]
const answerWeight = [1, 2, 0.5, 1, 1, 3]

describe('metrics of answers', () => {
  it('agree with numpy to five decimals', () => {
    const judged = { distributions, score }
    const scores = [1.646512, 1.22643064, 1.525366, 4.848201, 1.07763639, 3.58749725]
    rankedProbabilityScores(judged).forEach((value, i) => {
      expect(value).toBeCloseTo(scores[i], 5)
    })
    expect(rankedProbabilityScore(judged)).toBeCloseTo(2.3186072, 5)
    expect(rankedProbabilityScore({ ...judged, weight: answerWeight })).toBeCloseTo(2.5353395, 5)
    expect(meanAbsoluteError(judged)).toBeCloseTo(3.4682775, 5)
    expect(expectedAnswers(distributions)[2]).toBeCloseTo(5.892, 5)
    expect(netPromoterScore(distributions)).toBeCloseTo(-46.1371833, 5)
    expect(netPromoterScore(distributions, answerWeight)).toBeCloseTo(-54.6557765, 5)
    expect(answerLogLosses(judged)[0]).toBeCloseTo(-Math.log(0.088), 9)
  })

  it('a sure prediction scores as far off as its answer is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 10 }), (said, given) => {
        const sure = Array.from({ length: 11 }, (_, answer) => (answer === said ? 1 : 0))
        expect(rankedProbabilityScore({ distributions: sure, score: [given] })).toBeCloseTo(
          Math.abs(said - given),
          9,
        )
      }),
    )
  })

  it('0 to 6 are detractors, 9 and 10 promoters, the rest neither', () => {
    const sure = Array.from({ length: 121 }, (_, i) => (Math.floor(i / 11) === i % 11 ? 1 : 0))
    expect(Array.from(detractorProbabilities(sure))).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    expect(Array.from(promoterProbabilities(sure))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
  })
})
