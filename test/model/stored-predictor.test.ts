import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { encode, rawCategories } from '../../src/features/encoder.ts'
import type { FeatureFrame } from '../../src/features/features.ts'
import { fitEncoder } from '../../src/features/fit-encoder.ts'
import type { HazardCalibrator } from '../../src/model/calibrator.ts'
import { Predictor, type PredictorParts } from '../../src/model/predictor.ts'
import { loadPredictor, storePredictor } from '../../src/model/stored-predictor.ts'
import { fitTrees } from '../../src/model/trees-member.ts'
import { chanceOf, drawEvents, logistic } from './simulated.ts'

const rows = 500
const chance = chanceOf(4)
const frame: FeatureFrame = {
  rows,
  features: [
    { name: 'tickets', kind: 'number', unit: 'events', windowDays: 30, words: 'tickets', origin: 'ticket' },
  ],
  columns: [Float64Array.from({ length: rows }, chance.normal)],
}
const encoder = fitEncoder(
  frame,
  Int32Array.from({ length: rows }, (_, row) => row),
  { targets: [] },
)
const hazards = Float64Array.from({ length: rows * 3 }, (_, at) =>
  logistic(Number(frame.columns[0][Math.floor(at / 3)]) - 1),
)
const learning = {
  features: encode(encoder, frame, 'raw'),
  customer: Int32Array.from({ length: rows }, (_, row) => row),
  outcomes: [drawEvents(hazards, { intervals: 3, chance })],
  answers: null,
}
const member = fitTrees(learning, {
  categories: rawCategories(encoder),
  seed: 1,
  chosen: { outcomes: [{ temper: 'cautious' as const, telling: 900, rounds: 20 }], answers: null },
})

function partsWith(calibrator: HazardCalibrator): PredictorParts {
  return {
    encoder,
    members: [{ name: 'trees', member, view: 'raw' }],
    outcomes: [
      {
        name: 'churn',
        horizonsDays: [30, 60, 90],
        isAbsence: false,
        hasSkill: true,
        baseHazards: [0.3, 0.3, 0.3],
        weights: [1],
        calibrator,
        surrogate: null,
      },
    ],
    answers: null,
    catalogue: {} as PredictorParts['catalogue'],
    excluded: [],
    skipped: {},
  }
}

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

async function restored(files: Readonly<Record<string, string | Uint8Array>>): Promise<Predictor> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-predictor-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return loadPredictor(folder)
}

const said = (predictor: Predictor) => predictor.predict(frame, []).outcomes[0].probabilities

describe('a stored predictor', () => {
  it('says the same once restored, with corrections of every kind', async () => {
    const parts = partsWith([
      { kind: 'platt', intercept: 0.3, slope: 0.7 },
      { kind: 'beta', intercept: -0.2, lower: 0.6, upper: 1.7 },
      { kind: 'isotonic', from: [-2, -1, 0.5], to: [-3, -0.4, 0.2] },
    ])
    const before = said(new Predictor(parts))
    expect(said(await restored(storePredictor(parts)))).toEqual(before)
    expect(before).not.toEqual(
      said(new Predictor(partsWith(Array(3).fill({ kind: 'none', intercept: 0, slope: 1 })))),
    )
  })

  it('of before beta and isotonic corrections still loads, and means what it meant', async () => {
    const none = { kind: 'none', intercept: 0, slope: 1 } as const
    const files = storePredictor(partsWith([none, none, none]))
    const json = JSON.parse(files['predictor.json'])
    json.outcomes[0].calibrator = [
      { kind: 'shift', intercept: 0.5, slope: 1 },
      { kind: 'none', intercept: 0, slope: 1 },
      { kind: 'temperature', intercept: 0, slope: 0.5 },
    ]
    const old = said(await restored({ ...files, 'predictor.json': JSON.stringify(json) }))
    const plain = said(new Predictor(partsWith([none, none, none])))
    for (let row = 0; row < rows; row++) {
      const logit = (p: number) => Math.log(p / (1 - p))
      expect(logit(old[row * 3])).toBeCloseTo(logit(plain[row * 3]) + 0.5, 4)
    }
  })
})
