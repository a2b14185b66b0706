import { encode } from '../src/features/encoder.ts'
import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import type { Fitter } from '../src/model/fitter.ts'
import { foldsByCustomer } from '../src/model/folds.ts'
import { selectRows } from '../src/model/matrix.ts'
import { answerCount } from '../src/model/member.ts'
import { mapByTask } from '../src/model/single-task.ts'
import { gatherRows, type Labelled, pickLabelled } from './labelled.ts'
import { type Choices, fitMembers, type Taught } from './members.ts'

/** What members say of labelled rows that they have not learned from. */
export interface HeldOut {
  readonly labelled: Labelled
  /** [members][outcomes] of [rows × intervals] */
  readonly hazards: readonly (readonly Float32Array[])[]
  /** [members] of [answers × 11], at each answer's own lead. */
  readonly answers: readonly Float32Array[]
}

/** What each member says of one outcome. **Shape** [members] of [rows × intervals] @param index of the outcome */
export function hazardsOf({ hazards }: Pick<HeldOut, 'hazards'>, index: number): Float32Array[] {
  return hazards.map((own) => own[index])
}

/** Predictions of every member for labelled rows, not blended. */
export function predictHeldOut(
  taught: Pick<Taught, 'encoder' | 'members'>,
  labelled: Labelled,
  frame: FeatureFrame,
): HeldOut {
  const picked = pickFrame(frame, labelled.rows)
  const outputs = taught.members.map(({ member, view }) => {
    const features = encode(taught.encoder, picked, view)
    const { hazards } = member.predict(features, [])
    if (labelled.answers === null) return { hazards, answers: new Float32Array(0) }
    const { row, leadDays } = labelled.answers
    return {
      hazards,
      answers: member.predict(selectRows(features, row), [leadDays]).answers[0] ?? new Float32Array(0),
    }
  })
  return {
    labelled,
    hazards: outputs.map(({ hazards }) => hazards),
    answers: outputs.map(({ answers }) => answers),
  }
}

/**
 * Predictions for every labelled row by members fitted without the row's customer, and what was chosen on the way.
 */
export async function crossFit(
  labelled: Labelled,
  options: {
    frame: FeatureFrame
    fitter: Fitter
    choices: Partial<Choices>
    seed: number
    onProgress?: (done: number, note: string) => void
  },
): Promise<{ heldOut: HeldOut; choices: Choices }> {
  const folds = foldsByCustomer(labelled.customer, foldCount(labelled.rows.length), options.seed)
  const done = folds.map(() => 0)
  const fitFold = async (index: number, choices: Partial<Choices>) => {
    const { train, test } = folds[index]
    const validation = pickLabelled(labelled, test)
    const onProgress = (share: number, note: string) => {
      done[index] = share
      const sum = done.reduce((total, one) => total + one, 0)
      options.onProgress?.(sum / folds.length, `fold ${index + 1}, ${note}`)
    }
    const taught = await fitMembers(pickLabelled(labelled, train), {
      ...options,
      validation,
      choices,
      onProgress,
    })
    const heldOut = predictHeldOut(taught, validation, options.frame)
    return { choices: taught.choices, places: test, heldOut }
  }
  // The first fold chooses the tempers of network and trees, the others go on side by side with them.
  const first = await fitFold(0, options.choices)
  const { temper, trees } = first.choices
  const others = await Promise.all(
    folds.slice(1).map((_, index) => fitFold(index + 1, { ...options.choices, temper, trees })),
  )
  const parts = [first, ...others]
  return { heldOut: scatter(labelled, parts), choices: averageChoices(parts.map(({ choices }) => choices)) }
}

/** Fewer where there is more to learn from. */
export function foldCount(rows: number): number {
  return rows < 2_000 ? 5 : rows < 30_000 ? 3 : 2
}

/** The first fold's choices; how long to learn is what the folds took on average. */
function averageChoices(folds: readonly Choices[]): Choices {
  const mean = (of: (choices: Choices) => number) =>
    folds.reduce((sum, choices) => sum + of(choices), 0) / folds.length
  return {
    ...folds[0],
    epochs: mean(({ epochs }) => epochs),
    trees: mapByTask(folds[0].trees, (choice, own) => ({
      ...choice,
      rounds: mean(({ trees }) => own(trees).rounds),
    })),
  }
}

/** Puts the folds' predictions back in the order of the labelled rows. */
function scatter(labelled: Labelled, parts: readonly { places: Int32Array; heldOut: HeldOut }[]): HeldOut {
  const members = parts[0].heldOut.hazards.length
  const hazards = Array.from({ length: members }, () =>
    labelled.outcomes.map(({ intervals }) => new Float32Array(labelled.rows.length * intervals)),
  )
  const answers = Array.from(
    { length: members },
    () => new Float32Array((labelled.answers?.row.length ?? 0) * answerCount),
  )
  for (const { places, heldOut } of parts) {
    const own = answersAt(labelled, places)
    for (let member = 0; member < members; member++) {
      labelled.outcomes.forEach(({ intervals }, outcome) => {
        scatterRows(hazards[member][outcome], places, {
          values: heldOut.hazards[member][outcome],
          width: intervals,
        })
      })
      scatterRows(answers[member], own, { values: heldOut.answers[member], width: answerCount })
    }
  }
  return { labelled, hazards, answers }
}

/** What was said of some of the rows. @param places of rows in `labelled` */
export function pickHeldOut({ labelled, hazards, answers }: HeldOut, places: Int32Array): HeldOut {
  const own = answersAt(labelled, places)
  const floats = (values: Float32Array, at: Int32Array, width: number) =>
    gatherRows(new Float32Array(at.length * width), at, values)
  return {
    labelled: pickLabelled(labelled, places),
    hazards: hazards.map((member) =>
      member.map((values, outcome) => floats(values, places, labelled.outcomes[outcome].intervals)),
    ),
    answers: answers.map((values) => floats(values, own, answerCount)),
  }
}

/** Uses of answers that belong to some rows, in their order. */
export function answersAt(labelled: Labelled, places: Int32Array): Int32Array {
  const inFold = new Set(places)
  const indices = Array.from(labelled.answers?.row.keys() ?? [])
  return Int32Array.from(indices.filter((i) => inFold.has(labelled.answers?.row[i] ?? -1)))
}

/** Puts rows of `values` at their places: the inverse of picking them. */
export function scatterRows<T extends Float32Array | Float64Array>(
  target: T,
  places: Int32Array,
  { values, width }: { values: T; width: number },
): void {
  places.forEach((place, index) => {
    target.set(values.subarray(index * width, (index + 1) * width), place * width)
  })
}

/** Two sets of held-out predictions by the same kinds of members as one. */
export function joinHeldOut(first: HeldOut, second: HeldOut): HeldOut {
  const offset = first.labelled.rows.length
  const [a, b] = [first.labelled, second.labelled]
  return {
    labelled: {
      rows: joined(Int32Array, a.rows, b.rows),
      customer: joined(Int32Array, a.customer, b.customer),
      outcomes: a.outcomes.map((labels, index) => ({
        ...labels,
        happened: joined(Uint8Array, labels.happened, b.outcomes[index].happened),
        known: joined(Uint8Array, labels.known, b.outcomes[index].known),
        observed: joined(Uint8Array, labels.observed, b.outcomes[index].observed),
        weight: joined(Float32Array, labels.weight, b.outcomes[index].weight),
      })),
      answers: joinAnswers(a.answers, b.answers, offset),
    },
    hazards: first.hazards.map((own, member) =>
      own.map((values, outcome) => joined(Float32Array, values, second.hazards[member][outcome])),
    ),
    answers: first.answers.map((values, member) => joined(Float32Array, values, second.answers[member])),
  }
}

function joinAnswers(
  first: Labelled['answers'],
  second: Labelled['answers'],
  offset: number,
): Labelled['answers'] {
  if (second === null) return first
  const moved = { ...second, row: second.row.map((row) => row + offset) }
  if (first === null) return moved
  return {
    row: joined(Int32Array, first.row, moved.row),
    leadDays: joined(Float32Array, first.leadDays, moved.leadDays),
    score: joined(Uint8Array, first.score, moved.score),
    weight: joined(Float32Array, first.weight, moved.weight),
    answerWeight: joined(Float32Array, first.answerWeight, moved.answerWeight),
  }
}

function joined<T extends Int32Array | Uint8Array | Float32Array>(
  kind: new (length: number) => T,
  first: T,
  second: T,
): T {
  const whole = new kind(first.length + second.length)
  whole.set(first, 0)
  whole.set(second, first.length)
  return whole
}
