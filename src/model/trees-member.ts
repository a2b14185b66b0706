import { z } from 'zod'
import { failure } from '../domain/errors.ts'
import { type BoostingOptions, boost } from './boosting.ts'
import { type Forest, layOut } from './forest.ts'
import { ForestReader } from './forest-reader.ts'
import { clampProbability, sigmoid } from './logit.ts'
import type { Matrix } from './matrix.ts'
import type { ByTask, LearningSet, Member, MemberOutput, StoredMember } from './member.ts'
import { answerCount } from './member.ts'
import { answerDistribution } from './ordinal-model.ts'
import { countTasks, joinByTask, mapByTask, type TaskOptions } from './single-task.ts'
import { type BinnedRows, binRows, fitBins } from './tree-bins.ts'
import { answerTask, hazardTask, type TreeTask } from './tree-objectives.ts'
import { type TreeTemper, tempersFor, treeSettings, treeTempers } from './tree-settings.ts'

export const treesKind = 'trees'

/** How one task's trees were grown: chosen on held-out labels, used again for a refit. */
export interface TreeChoice {
  readonly temper: TreeTemper
  /** The amount of data that the other settings go by, as it was then: rounds mean little under others. */
  readonly telling: number
  readonly rounds: number
}

/**
 * Validation and nothing chosen: temper and rounds are chosen. Both: the temper is kept, the rounds are chosen again.
 * Only what was chosen: it is used as it is.
 */
export interface TreesOptions extends TaskOptions<TreeChoice> {
  /** For each column the number of its categories, 0 for a number. */
  readonly categories: ArrayLike<number>
  readonly seed: number
  /** Told the share that is done, 0 to 1. */
  readonly onProgress?: (done: number) => void
}

/** Trees of one task, and what their sums are read against. */
interface TaskTrees {
  readonly forest: Forest
  /** Base logit of each interval, or the ten thresholds between answers. */
  readonly offsets: Float32Array
}

/** Gradient-boosted trees of every task, on raw columns: missing numbers are NaN, categories their places. */
export interface TreesMember extends Member, Learned {
  readonly kind: typeof treesKind
}

interface Learned {
  /** Features of a row. */
  readonly columns: number
  readonly choices: ByTask<TreeChoice>
  readonly trees: ByTask<TaskTrees>
}

/**
 * Boosts trees for each task: over (row, interval) pairs for outcomes, so that horizons stay coherent; over answers
 * with their lead for the survey.
 *
 * **Time** sees only `learning` and, to choose size and number of trees, `options.validation`.
 */
export function fitTrees(learning: LearningSet, options: TreesOptions): TreesMember {
  const binned = binRows(learning.features, fitBins(learning.features, options.categories))
  const tasks = countTasks(learning)
  let finished = 0
  const grow = (task: BoostedTask, chosen: TreeChoice | null | undefined) => {
    const onProgress = (done: number) => options.onProgress?.((finished + done) / tasks)
    const found = fitTask(task, binned, { ...options, chosen: chosen ?? null, onProgress })
    finished++
    return found
  }
  const later = options.validation
  const outcomes = learning.outcomes.map((labels, index) => {
    const validation = later && { task: hazardTask(later.outcomes[index]), raw: later.features }
    const events = labels.happened.reduce((sum, one, at) => sum + (labels.known[at] && one), 0)
    const task = hazardTask(labels)
    const telling = Math.min(events, task.row.length - events)
    return grow({ task, telling, validation }, options.chosen?.outcomes[index])
  })
  const { answers } = learning
  const validation = later?.answers ? { task: answerTask(later.answers), raw: later.features } : undefined
  const telling = answers?.weight.reduce((sum, own) => sum + own, 0) ?? 0
  const survey = answers && grow({ task: answerTask(answers), telling, validation }, options.chosen?.answers)
  return memberOf({
    columns: learning.features.columns,
    choices: { outcomes: outcomes.map(({ choice }) => choice), answers: survey?.choice ?? null },
    trees: { outcomes: outcomes.map(({ trees }) => trees), answers: survey?.trees ?? null },
  })
}

interface BoostedTask {
  readonly task: ReturnType<typeof hazardTask>
  readonly telling: number
  readonly validation: { readonly task: TreeTask; readonly raw: Matrix } | undefined
}

function fitTask(
  { task, telling: own, validation }: BoostedTask,
  binned: BinnedRows,
  options: { seed: number; chosen: TreeChoice | null; onProgress: (done: number) => void },
): { choice: TreeChoice; trees: TaskTrees } {
  const { seed, chosen, onProgress } = options
  const telling = chosen?.telling ?? own
  const tempers = chosen ? [chosen.temper] : tempersFor(telling)
  const tried = tempers.map((temper, place) => {
    const usual = treeSettings(telling, temper)
    const rounds = validation ? usual.mostRounds : Math.round(chosen?.rounds ?? usual.mostRounds / 4)
    const settings = { ...usual, mostRounds: rounds }
    const how: BoostingOptions = {
      settings,
      seed,
      ...(validation && { validation }),
      onRound: (round) => onProgress((place + round / settings.mostRounds) / tempers.length),
    }
    const boosted = boost(task, binned, how)
    return { temper, ...boosted }
  })
  const best = tried.reduce((a, b) => ((b.loss ?? 0) < (a.loss ?? 0) ? b : a))
  return {
    choice: { temper: best.temper, telling, rounds: best.trees.length },
    trees: { forest: layOut(best.trees), offsets: Float32Array.from(best.offsets) },
  }
}

/** One member of members that were fitted on tasks of their own, in the order of the tasks. */
export function joinTrees(members: readonly TreesMember[]): TreesMember {
  return memberOf({
    columns: members[0].columns,
    choices: joinByTask(members.map(({ choices }) => choices)),
    trees: joinByTask(members.map(({ trees }) => trees)),
  })
}

function memberOf(learned: Learned): TreesMember {
  const { columns, trees } = learned
  const outcomes = trees.outcomes.map((own) => ({ ...own, reader: new ForestReader(own.forest, columns) }))
  const answers = trees.answers && {
    ...trees.answers,
    reader: new ForestReader(trees.answers.forest, columns),
  }
  return {
    kind: treesKind,
    ...learned,
    predict: (features: Matrix, leads: readonly Float32Array[]): MemberOutput => ({
      hazards: outcomes.map(({ offsets, reader }) => {
        const periods = Array.from(offsets, (_, interval) => new Float32Array(features.rows).fill(interval))
        const sums = reader.sums(features, periods)
        const hazards = new Float32Array(sums.length)
        for (let at = 0; at < sums.length; at++)
          hazards[at] = clampProbability(sigmoid(offsets[at % offsets.length] + sums[at]))
        return hazards
      }),
      answers: answers === null ? [] : predictAnswers(answers, features, leads),
    }),
    keepTasks: (used) =>
      memberOf({
        ...learned,
        trees: mapByTask(trees, (own, same) => (same(used) ? own : { ...own, forest: layOut([]) })),
      }),
    store: () => storeTrees(learned),
  }
}

function predictAnswers(
  { offsets, reader }: { offsets: Float32Array; reader: ForestReader },
  features: Matrix,
  leads: readonly Float32Array[],
): Float32Array[] {
  const locations = reader.sums(features, leads)
  return leads.map((_, lead) => {
    const set = new Float32Array(features.rows * answerCount)
    for (let row = 0; row < features.rows; row++) {
      answerDistribution(offsets, locations[row * leads.length + lead], { set, at: row * answerCount })
    }
    return set
  })
}

const forestArrays = ['roots', 'column', 'limit', 'left', 'missing', 'set', 'sets'] as const

function storeTrees({ columns, choices, trees }: Learned): StoredMember {
  const arrays: Record<string, Float32Array> = {}
  const add = (name: string, { forest, offsets }: TaskTrees) => {
    arrays[`${name}_offsets`] = offsets
    for (const array of forestArrays) arrays[`${name}_${array}`] = forest[array]
  }
  trees.outcomes.forEach((own, index) => {
    add(`outcome_${index}`, own)
  })
  if (trees.answers) add('answers', trees.answers)
  return { kind: treesKind, description: { columns, choices }, arrays }
}

const storedChoice = z.object({ temper: z.enum(treeTempers), telling: z.number(), rounds: z.int() })
const storedDescription = z.object({
  columns: z.int().positive(),
  choices: z.object({ outcomes: z.array(storedChoice), answers: storedChoice.nullable() }),
})

/** The member that {@link Member.store} described. Throws `stored_member_broken` where a part is missing. */
export function restoreTrees(stored: StoredMember): TreesMember {
  const parsed = storedDescription.safeParse(stored.description)
  if (!parsed.success) throw broken(`description: ${z.prettifyError(parsed.error)}`)
  const { columns, choices } = parsed.data
  const array = (name: string): Float32Array => {
    if (!stored.arrays[name]) throw broken(`${name} is missing`)
    return stored.arrays[name]
  }
  const read = (name: string): TaskTrees => ({
    offsets: array(`${name}_offsets`),
    forest: Object.fromEntries(
      forestArrays.map((one) => [one, array(`${name}_${one}`)]),
    ) as unknown as Forest,
  })
  return memberOf({
    columns,
    choices,
    trees: {
      outcomes: choices.outcomes.map((_, index) => read(`outcome_${index}`)),
      answers: choices.answers && read('answers'),
    },
  })
}

function broken(what: string): Error {
  return failure('stored_member_broken', `The stored trees can't be read: ${what}. Train again.`)
}
