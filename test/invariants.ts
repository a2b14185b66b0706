import fc from 'fast-check'
import { expect } from 'vitest'
import { answerClasses, moneyColumns, predictionColumns } from '../src/domain/prediction.ts'
import type { Program } from '../src/domain/program.ts'

/** A row of exported predictions. */
export type PredictionRow = Readonly<Record<string, unknown>>

/** Holds a rule against rows drawn at random, and shows the row that breaks it. */
export function forAnyRow(rows: readonly PredictionRow[], rule: (row: PredictionRow) => void): void {
  fc.assert(fc.property(fc.constantFrom(...rows), rule), { numRuns: Math.min(2 * rows.length, 2000) })
}

/** What must hold for every day's predictions of every program, by claim. */
export const invariants: Readonly<
  Record<string, (rows: readonly PredictionRow[], program: Program) => void>
> = {
  'has the columns of the contract in their order': (rows, program) => {
    expect(Object.keys(rows[0])).toEqual(predictionColumns(program).map(({ name }) => name))
  },

  'has each customer exactly once, predicted or abstained with a reason': (rows) => {
    expect(new Set(rows.map((row) => row.customer_id)).size).toBe(rows.length)
    forAnyRow(rows, (row) => {
      expect(row.status).toBe(row.reason === null ? 'predicted' : 'abstained')
    })
  },

  'keeps every probability between 0 and 1, with six decimals': (rows, program) => {
    const outcomes = program.outcomes.flatMap(({ name }) =>
      program.horizonsDays.map((days) => `${name}_${days}`),
    )
    const names = [...Object.keys(rows[0]).filter((name) => name.startsWith('p_')), ...outcomes]
    forAnyRow(rows, (row) => {
      for (const value of names.map((name) => row[name]).filter((value) => value !== null) as number[]) {
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
        expect(value).toBe(Math.round(value * 1e6) / 1e6)
      }
    })
  },

  'has NPS classes that sum to 1, the likeliest as its class, and scores on the scale': (
    rows,
    { horizonsDays },
  ) => {
    forAnyRow(rows, (row) => {
      if (row.nps_score === null) return
      const classes = answerClasses.map((name) => row[`p_${name}`] as number)
      expect(classes[0] + classes[1] + classes[2]).toBeCloseTo(1, 9)
      expect(row[`p_${row.nps_class}`]).toBe(Math.max(...classes))
      for (const name of [
        'nps_score',
        'nps_low',
        'nps_high',
        ...horizonsDays.map((days) => `nps_score_${days}`),
      ]) {
        expect(row[name]).toBeGreaterThanOrEqual(0)
        expect(row[name]).toBeLessThanOrEqual(10)
      }
      expect(row.nps_low as number).toBeLessThanOrEqual(row.nps_high as number)
      for (const days of horizonsDays) {
        const sum = (row[`p_detractor_${days}`] as number) + (row[`p_promoter_${days}`] as number)
        expect(sum).toBeLessThanOrEqual(1 + 1e-9)
      }
    })
  },

  'makes an event no less likely over a longer horizon, and an absence no likelier': (rows, program) => {
    forAnyRow(rows, (row) => {
      for (const { name, kind } of program.outcomes) {
        const values = program.horizonsDays
          .map((days) => row[`${name}_${days}`])
          .filter((value) => value !== null) as number[]
        expect(values).toEqual([...values].sort((a, b) => (kind === 'event' ? a - b : b - a)))
      }
    })
  },

  'says of every task where its number comes from, and leaves empty what it does not predict': (
    rows,
    program,
  ) => {
    forAnyRow(rows, (row) => {
      const flags = JSON.parse(row.flags as string) as Record<string, string>
      expect(flags.nps.startsWith('abstained')).toBe(row.nps_score === null)
      for (const { name } of program.outcomes) {
        for (const days of program.horizonsDays) {
          const flag = flags[`${name}_${days}`] ?? flags[name]
          expect(flag).toMatch(/^(model|base_rate|abstained:[a-z_]+)$/)
          expect(flag.startsWith('abstained')).toBe(row[`${name}_${days}`] === null)
        }
      }
    })
  },

  'computes money from what is configured and known, and nothing else': (rows, program) => {
    const longest = program.horizonsDays[program.horizonsDays.length - 1]
    forAnyRow(rows, (row) => {
      const { margin } = program.value
      const churn = row[`churn_${longest}`] ?? null
      for (const name of moneyColumns) {
        const amount = row[name] as number | null
        if (amount !== null) expect(amount).toBe(Number(amount.toFixed(2)))
      }
      const kept = row.annual_value === null || margin === null ? null : (row.annual_value as number) * margin
      if (kept === null || churn === null) expect(row.value_at_risk).toBeNull()
      else expect(Math.abs((row.value_at_risk as number) - kept * (churn as number))).toBeLessThan(0.00501)
      // The risk within any horizon is carried on over the year.
      const isForetold = program.horizonsDays.some((days) => (row[`churn_${days}`] ?? null) !== null)
      if (kept === null || !isForetold) expect(row.expected_value_12m).toBeNull()
      else {
        expect(row.expected_value_12m).toBeGreaterThanOrEqual(0)
        expect(row.expected_value_12m).toBeLessThanOrEqual(kept + 0.00501)
      }
      if (Object.keys(program.value.gains).length === 0) expect(row.expected_gain).toBeNull()
    })
  },

  'names drivers with the behaviour, its value and its effect': (rows) => {
    forAnyRow(rows, (row) => {
      for (const driver of JSON.parse(row.top_drivers as string) as Record<string, unknown>[]) {
        expect(Object.keys(driver)).toEqual(['feature', 'words', 'value', 'effect', 'unit', 'outcome'])
        expect(Math.abs(driver.effect as number)).toBeLessThanOrEqual(driver.unit === 'points' ? 10 : 1)
      }
    })
  },
}
