import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import type { Evidence } from '../impact/measurement.ts'
import { errorsByCustomer } from '../simulation/gain-errors.ts'
import { bestOffers, moneyTicks, type Offers } from '../simulation/offers.ts'
import { findTreatments, type Treatments } from '../simulation/treatments.ts'
import { quantile95 } from '../simulation/uncertainty.ts'
import { countedWords } from './budget-words.ts'
import { type RowTarget, writeRows } from './row-file.ts'
import { type LeftOutReport, listLeftOut } from './treatment-report.ts'
import { withWhatIf } from './what-if.ts'
import type { WhatIfSession } from './what-if-session.ts'

/** Why a customer is offered nothing. */
export type NoAction = 'no_initiative_pays' | 'treated_recently' | 'evidence_too_weak'

/** The next best action of a customer. Money in program currency, an outcome's gain as a chance. */
export interface CustomerAction {
  readonly customer_id: string
  /** Null: none, for the reason told. */
  readonly initiative: string | null
  readonly arm: string | null
  readonly evidence: Evidence | null
  readonly expected_gain: number | null
  /** 95% interval of the expected gain. */
  readonly gain_low: number | null
  readonly gain_high: number | null
  readonly cost: number | null
  /** Gain less cost; null where the gain is no money. */
  readonly net: number | null
  /** Chance of the outcome by which customers count as at risk; null where it is not foretold. */
  readonly risk: number | null
  readonly reason: NoAction | null
}

/** The next best actions of a day. */
export interface ActionsReport {
  readonly program: string
  readonly date: string
  readonly model_version: string
  readonly currency: string
  /** What counts as gain, in words. */
  readonly counted: string
  /** By which outcome customers count as at risk, and whether those with the highest or the least chance of it do. */
  readonly risk: { readonly outcome: string; readonly first: 'highest' | 'least' }
  readonly customers: number
  /** Customers with an action. */
  readonly actions: number
  readonly left_out: readonly LeftOutReport[]
  readonly rows: readonly CustomerAction[]
}

export interface ActionsOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Null: the latest day with predictions. */
  readonly date: string | null
  /** Null: everybody at risk. */
  readonly customerId: string | null
  readonly seed: number
  readonly reporter: Reporter
  /** What is loaded already. */
  readonly session?: WhatIfSession
  readonly signal?: AbortSignal
}

/**
 * For each customer at risk the initiative with the highest expected net value under experiment or adjusted evidence, or
 * none. Who was put into an arm of an initiative within the longest horizon is not offered it.
 *
 * **Errors** `no-predictions`, `empty-population` where the customer is not at risk.
 */
export function nextBestActions(program: Program, options: ActionsOptions): Promise<ActionsReport> {
  const { date, customerId, seed } = options
  return withWhatIf(program, { ...options, isFull: true }, async ({ workplace, version, request }) => {
    const database = workplace.free()
    const treatments = await findTreatments(database, {
      ...{ asked: request.asked, seed, date, asOf: null, initiatives: null, cost: null, outcome: null },
      isChecked: false,
      // Everybody, even for one: whether customers are like those compared is told of the population.
      population: { kind: 'all' },
      onInitiative: request.onDraw,
    })
    const all = listActions(treatments, bestOffers(treatments, seed))
    const rows = customerId === null ? all : all.filter((own) => own.customer_id === customerId)
    if (rows.length === 0) throw notAtRisk(customerId, treatments)
    return {
      program: program.name,
      date: treatments.day.date,
      model_version: version,
      currency: program.currency,
      counted: countedWords(treatments, program),
      risk: { outcome: treatments.risk.outcome, first: treatments.risk.isDesired ? 'least' : 'highest' },
      customers: rows.length,
      actions: rows.filter(({ initiative }) => initiative !== null).length,
      left_out: listLeftOut(treatments.leftOut),
      rows,
    }
  })
}

/** Writes the actions, a row a customer. **Errors** `storage` where the file cannot be written. */
export function writeActions({ program, date, rows }: ActionsReport, target: RowTarget): Promise<void> {
  return writeRows({ columns, rows: rows.map((row) => ({ program, date, ...row })) }, target)
}

const columns = {
  program: 'varchar',
  date: 'date',
  customer_id: 'varchar',
  initiative: 'varchar',
  arm: 'varchar',
  evidence: 'varchar',
  expected_gain: 'double',
  gain_low: 'double',
  gain_high: 'double',
  cost: 'double',
  net: 'double',
  risk: 'double',
  reason: 'varchar',
} as const

function notAtRisk(customerId: string | null, { day, scope }: Treatments): Error {
  return usageError(
    'empty-population',
    `${customerId} is no customer at risk on ${day.date}, of ${scope.customers} customers at risk.`,
  )
}

function listActions({ scope, treatments, risks }: Treatments, offers: Offers): CustomerAction[] {
  const errors = treatments.map(errorsByCustomer)
  const none: NoAction = treatments.length === 0 ? 'evidence_too_weak' : 'treated_recently'
  return scope.customerId.map((customer_id, row) => {
    const place = offers.treatment[row]
    const risk = risks && Math.round(risks[row] * 1e6) / 1e6
    if (place < 0 || offers.net[row] <= 0)
      return { customer_id, ...nothing, risk, reason: place < 0 ? none : 'no_initiative_pays' }
    const { initiative, arm, evidence } = treatments[place]
    const gain = offers.gain[row] / offers.gainTicks
    const half = quantile95 * errors[place][row]
    const rounded = (value: number) => Math.round(value * offers.gainTicks) / offers.gainTicks
    return {
      ...{ customer_id, initiative, arm, evidence, risk, reason: null },
      expected_gain: gain,
      gain_low: rounded(gain - half),
      gain_high: rounded(gain + half),
      cost: offers.cost[row] / moneyTicks,
      net: offers.isMoney ? offers.net[row] / offers.gainTicks : null,
    }
  })
}

const nothing = {
  initiative: null,
  arm: null,
  evidence: null,
  expected_gain: null,
  gain_low: null,
  gain_high: null,
  cost: null,
  net: null,
} as const
