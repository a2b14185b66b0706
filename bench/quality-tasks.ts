import { join } from 'node:path'
import type { Reporter } from '../src/domain/progress.ts'
import { simulateCompany } from '../training/synthetic/company.ts'
import { checkout } from './commands.ts'

/** A program whose forecasts are compared, and the tasks that count, named before anything is measured. */
export interface QualityProgram {
  readonly name: string
  /** `<outcome>_<horizon>`, or `nps`: the answer of today. */
  readonly tasks: readonly string[]
  /** Opens the outcomes that the example holds back for its own judge. */
  readonly environment: Readonly<Record<string, string>>
  /** Beyond it cutoffs are thinned and customers drawn. */
  readonly maxRows: number
  /** Which of the two measurements it is part of. */
  readonly parts: readonly ('whole' | 'reduced')[]
}

const both = ['whole', 'reduced'] as const
const churn = ['churn_30', 'churn_60', 'churn_90']

export const qualityPrograms: readonly QualityProgram[] = [
  program('telco', ['churn_30'], { environment: { TELCO_FOLD: 'none' }, parts: both }),
  program('telco_extended', ['advocacy_30', 'churn_30'], { environment: { TELCO_FOLD: 'none' } }),
  program('iranian_churn', ['churn_90'], { environment: { IRANIAN_FOLD: 'none' }, parts: both }),
  program('bank_marketing', ['upsell_30'], { environment: { BANK_SCORE_FROM: '2011-01-01' } }),
  program('sfo_2017', ['nps'], { environment: { SFO_HOLDOUT: '0' }, parts: both }),
  program('online_retail', churn),
  program('oulad_2013', churn),
  program('ravenstack', churn),
  program('demo', [...churn, 'upsell_30', 'upsell_60', 'upsell_90', 'advocacy_90', 'nps']),
  program('small_demo', ['churn_90', 'upsell_90', 'nps'], { parts: ['reduced'], maxRows: 5000 }),
]

function program(name: string, tasks: readonly string[], more: Partial<QualityProgram> = {}): QualityProgram {
  return { name, tasks, environment: {}, maxRows: 20_000, parts: ['whole'], ...more }
}

/** A fixed day and seeds, so that figures repeat. The seeds are none that `bench:demo` measures. */
const companies: Readonly<Record<string, { customers: number; days: number; seed: number }>> = {
  demo: { customers: 3000, days: 548, seed: 101 },
  small_demo: { customers: 1000, days: 365, seed: 102 },
}
const lastDay = '2026-10-31'

/** The program file; that of a simulated company is made within `folder` first. */
export async function programFileOf(name: string, folder: string, reporter: Reporter): Promise<string> {
  const company = companies[name]
  if (company === undefined) return join(checkout, 'examples', name, 'program.yaml')
  return (await simulateCompany({ ...company, lastDay, folder: join(folder, 'company'), reporter }))
    .programFile
}

/** Whether a program needs the public data. */
export function isExample(name: string): boolean {
  return companies[name] === undefined
}
