/** How far a long piece of work is. `done` of `total` steps of `phase`; `note` says what is at hand. */
export interface ProgressStep {
  readonly phase: string
  readonly done: number
  readonly total: number
  readonly note?: string
}

/** Hears of progress and of what a person should know (warnings). */
export interface Reporter {
  progress(step: ProgressStep): void
  warn(sentence: string): void
}

/** Says nothing. */
export const silentReporter: Reporter = { progress: () => {}, warn: () => {} }
