import type { ByTask, LearningSet } from './member.ts'

/** What a fit can be given that differs by task. */
export interface TaskOptions<T> {
  /** Use these instead of choosing: for a refit. */
  readonly chosen?: ByTask<T>
  /** Later data to choose on. */
  readonly validation?: LearningSet
}

/** How many tasks there are; the survey's comes last. */
export function countTasks({ outcomes, answers }: LearningSet): number {
  return outcomes.length + (answers === null ? 0 : 1)
}

/** Everything about one task alone, so that tasks can be fitted side by side and joined again. */
export function pickTask<T, Options extends TaskOptions<T>>(
  learning: LearningSet,
  options: Options & TaskOptions<T>,
  index: number,
): { readonly learning: LearningSet; readonly options: Options } {
  const isOutcome = index < learning.outcomes.length
  const pick = (set: LearningSet): LearningSet =>
    isOutcome ? { ...set, outcomes: [set.outcomes[index]], answers: null } : { ...set, outcomes: [] }
  const { chosen, validation } = options
  const own: ByTask<T> = isOutcome
    ? { outcomes: chosen?.outcomes.slice(index, index + 1) ?? [], answers: null }
    : { outcomes: [], answers: chosen?.answers ?? null }
  return {
    learning: pick(learning),
    options: {
      ...options,
      ...(chosen && { chosen: own }),
      ...(validation && { validation: pick(validation) }),
    },
  }
}

/** What single tasks were given, as one. */
export function joinByTask<T>(tasks: readonly ByTask<T>[]): ByTask<T> {
  return {
    outcomes: tasks.flatMap(({ outcomes }) => outcomes),
    answers: tasks.find(({ answers }) => answers !== null)?.answers ?? null,
  }
}

/** Changes what each task has. @param change also given how to find the same task's of others */
export function mapByTask<T>(
  tasks: ByTask<T>,
  change: (own: T, same: <U>(others: ByTask<U>) => U) => T,
): ByTask<T> {
  return {
    outcomes: tasks.outcomes.map((own, index) => change(own, (others) => others.outcomes[index])),
    answers:
      tasks.answers === null ? null : change(tasks.answers, <U>(others: ByTask<U>) => others.answers as U),
  }
}
