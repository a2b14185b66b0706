import { join } from 'node:path'
import { silentReporter } from '../src/domain/progress.ts'
import { train } from '../training/train.ts'
import { type MadeCompany, settleCompany } from './guards-company.ts'

/** Whether a version claims skill in a task. */
export interface SkillClaim {
  readonly task: string
  readonly hasSkill: boolean
  /** Gain over the base rate, mean and lower bound. */
  readonly words: string
}

export interface Trained {
  readonly claims: readonly SkillClaim[]
  /** What was named as a leak. */
  readonly leaks: readonly string[]
  /** Tasks that are not predicted at all. */
  readonly skipped: readonly string[]
  readonly split: string
}

/** Trains a company as the command does and reads its card: outcomes, and the NPS. */
export async function trainCompany(
  company: MadeCompany,
  options: { folder: string; now: string; seed: number; maxRows: number },
): Promise<Trained> {
  const { program, dataFolder } = await settleCompany(company, options)
  const modelsFolder = join(options.folder, 'models')
  const { card } = await train(program, { ...options, dataFolder, modelsFolder, reporter: silentReporter })
  const claims = [...card.outcomes, ...(card.nps ? [{ name: 'nps', ...card.nps }] : [])]
  return {
    claims: claims.map(({ name, hasSkill, gain }) => ({
      task: name,
      hasSkill,
      words: gain
        ? `${gain.mean.toFixed(4)} (95% ${gain.low.toFixed(4)} to ${gain.high.toFixed(4)}; at least ${gain.lowerBound.toFixed(4)})`
        : 'not judged',
    })),
    leaks: card.leaks.map(({ origin, outcome }) => `${origin} for ${outcome}`),
    skipped: Object.keys(card.skipped),
    split: card.split.kind,
  }
}
