import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import { behavioursOf, findAliases } from '../src/model/behaviours.ts'
import { DriverReader, onScale } from '../src/model/drivers.ts'
import { type ExplainedTask, explainedTasks } from '../src/model/explained-tasks.ts'
import { shuffledIndices } from '../src/model/folds.ts'
import { Predictor, type PredictorParts } from '../src/model/predictor.ts'
import { explainedShare, SurrogateFitter } from '../src/model/surrogate.ts'
import { type PopulationDrivers, populationDrivers } from './population-drivers.ts'

/** More rows would hardly move a surrogate's curves. */
const mostRows = 6_000

type Parts = Pick<PredictorParts, 'encoder' | 'aliases' | 'members' | 'outcomes' | 'answers'>

/** Parts with what drivers need, and what moves the forecasts of everybody learned from. */
export interface Explained {
  readonly parts: Parts
  readonly drivers: readonly PopulationDrivers[]
}

/**
 * Adds to each task with skill an additive stand-in, fitted to what the blend predicts.
 *
 * It learns from rows that take each behaviour from one of two customers. In real rows behaviours go together, so that
 * a sum tells a prediction just as well with the shares of two behaviours exchanged; mixed rows tell which of them
 * moves the blend. Of the first three exact drivers 81 to 91% are then among the first three additive ones, from real
 * rows 61 to 75% (three tasks of the simulated company), while a sum explains as much of the predictions.
 */
export function explainParts(parts: Parts, learned: FeatureFrame): Explained {
  const step = Math.ceil(learned.rows / mostRows)
  const rows = Int32Array.from({ length: Math.ceil(learned.rows / step) }, (_, index) => index * step)
  const real = pickFrame(learned, rows)
  const aliases = findAliases(real)
  const mixed = mixBehaviours(real, behavioursOf(real.features, aliases))
  const predictor = new Predictor({ ...parts, ...nothingElse })
  const said = predictor.predict(real, [0])
  const saidMixed = predictor.predict(mixed, [0])
  const features = said.views.of('piecewise')
  const fitter = new SurrogateFitter(saidMixed.views.of('piecewise'))
  const reader = new DriverReader({ ...parts, aliases }, real, features)
  const tasks = explainedTasks(said)
  const mixedTasks = explainedTasks(saidMixed)
  const ready = tasks.map((task, index): ExplainedTask => {
    const additive = fitter.fit(onScales(mixedTasks[index], mixed.rows))
    const predicted = onScales(task, real.rows)
    const explained = explainedShare(additive, features, predicted)
    return { ...task, surrogate: { ...additive, explained } }
  })
  const surrogates = new Map(ready.map(({ name, surrogate }) => [name, surrogate]))
  const { outcomes, answers } = parts
  return {
    parts: {
      ...parts,
      aliases,
      outcomes: outcomes.map((model) => ({ ...model, surrogate: surrogates.get(model.name) ?? null })),
      answers: answers && { ...answers, surrogate: surrogates.get('nps') ?? null },
    },
    drivers: ready.map((task) => populationDrivers(task, reader, real)),
  }
}

function onScales({ unit, said }: ExplainedTask, rows: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => onScale(unit, said(row)))
}

/** As many rows, each behaviour of each from one of two customers. @param behaviours of each feature */
function mixBehaviours(frame: FeatureFrame, behaviours: readonly string[]): FeatureFrame {
  const { rows } = frame
  const parents = [shuffledIndices(rows, 1), shuffledIndices(rows, 2)]
  const names = [...new Set(behaviours)]
  const halves = names.map((_, behaviour) => shuffledIndices(rows, 3 + behaviour).map((place) => place % 2))
  const columns = frame.columns.map((column, index) => {
    const half = halves[names.indexOf(behaviours[index])]
    const values = Array.from({ length: rows }, (_, row) => column[parents[half[row]][row]])
    return column instanceof Float64Array
      ? Float64Array.from(values as number[])
      : (values as (string | null)[])
  })
  return { rows, features: frame.features, columns }
}

/** What predicting needs none of. */
const nothingElse = {
  catalogue: {} as PredictorParts['catalogue'],
  excluded: [],
  skipped: {},
}
