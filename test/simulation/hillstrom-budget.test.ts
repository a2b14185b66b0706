import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { measure } from '../../src/jobs/measure.ts'
import { askQuestion } from '../../src/jobs/what-if.ts'
import { readProgram } from '../../src/lake/program-file.ts'
import { parseQuestion } from '../../src/simulation/question-forms.ts'
import { train } from '../../training/train.ts'
import { triedCompany } from '../jobs/tried-company.ts'
import { makeProgram } from '../programs.ts'

const realData = resolve(process.env.LOYALCAST_REAL_DATA ?? join(import.meta.dirname, '../../../shared/data'))
const isThere = existsSync(join(realData, 'hillstrom'))

describe.skipIf(!isThere)(
  `a budget of the Hillstrom example${isThere ? '' : ` (skipped: ${realData}/hillstrom is not there)`}`,
  () => {
    it('agrees with the measured effect, and says what its order is worth', async () => {
      const made = await makeProgram(triedCompany({ customers: 10 }))
      const example = join(import.meta.dirname, '../../examples/hillstrom')
      const program = await readProgram(join(example, 'program.yaml'), { LOYALCAST_REAL_DATA: realData })
      const settings = { ...made, now: '2024-02-01T00:00:00Z', seed: 1, reporter: silentReporter }
      await ingest(program, settings)
      await train(program, { ...settings, asOf: '2024-01-28', maxRows: 5000 })
      await predictDay(program, { ...settings, date: '2024-01-14' })
      const question = parseQuestion(JSON.parse(await readFile(join(example, 'budget-visits.json'), 'utf8')))
      const answer = await askQuestion(program, { ...settings, question, isFull: false })
      if (answer.kind !== 'budget') throw new Error('not a budget')
      const { budget } = answer
      const [visit] = (await measure(program, { ...settings, initiative: 'mens-email', asOf: '2024-01-28' }))
        .results
      expect(visit.metric).toBe('visit')
      const everybody = budget.curve.at(-1)?.by_net
      expect(everybody?.value).toBeGreaterThan(visit.ci95[0] * visit.customers)
      expect(everybody?.value).toBeLessThan(visit.ci95[1] * visit.customers)
      expect(budget).toMatchObject({ evidence: 'experiment', treated: 10_000, spent: 500 })
      const [{ orders }] = budget.initiatives
      expect(orders?.by_net_than_chance).toBe('not_shown')
      expect(orders?.by_risk?.ci95[1]).toBeLessThan(0)
      expect(budget.statement).toMatch(/Treating by risk is worse than chance/)
    }, 240_000)
  },
)
