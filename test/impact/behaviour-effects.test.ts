import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCatalogue } from '../../src/features/build-catalogue.ts'
import { lakeRelations } from '../../src/features/features.ts'
import {
  type BehaviourEffect,
  type BehaviourEffects,
  measureBehaviour,
} from '../../src/impact/behaviour-effects.ts'
import { lastDayWithData } from '../../src/lake/coverage.ts'
import { openLake } from '../../src/lake/lake.ts'
import { withScratchDatabase } from '../../src/lake/scratch-database.ts'
import { ingestMade } from '../lakes.ts'
import { makeLastingProgram } from '../programs.ts'
import { leaving, troubledCompany } from './troubled-company.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>

beforeAll(async () => {
  made = await makeLastingProgram(troubledCompany())
  await ingestMade(made)
}, 120_000)
afterAll(() => made.remove())

const windowDays = 30
const horizonDays = 30

async function measure(types: readonly string[], seed = 1): Promise<BehaviourEffects> {
  const { program, dataFolder } = made
  const lake = await openLake(dataFolder, program)
  const asOf = lastDayWithData(program, lake.state) as string
  const excluded = new Set<string>()
  const relations = lakeRelations(lake, { excluded })
  return withScratchDatabase(lake.folder, program, async (database) => {
    const catalogue = await buildCatalogue(database, { program, lake, asOf, excluded })
    const request = {
      program,
      lake,
      relations,
      catalogue,
      types,
      windowDays,
      horizonDays,
      asOf,
      seed,
      mostExposed: 3000,
    }
    return measureBehaviour(database, request)
  })
}

function churnOf({ effects }: BehaviourEffects): BehaviourEffect {
  return effects.find(({ metric }) => metric === 'churn') as BehaviourEffect
}

function interval({ effect, standardError }: BehaviourEffect): [number, number] {
  return [effect - 1.96 * standardError, effect + 1.96 * standardError]
}

/** What a complaint at an even day of the window does to the chance of leaving within the horizon. */
function trueEffect(): number {
  const ofCustomer = (factor: number) => {
    let sum = 0
    for (let ago = 0; ago < windowDays; ago++) {
      let [stays, spared] = [1, 1]
      for (let ahead = 1; ahead <= horizonDays; ahead++) {
        const own = ago + ahead < leaving.forDays ? leaving.complained : leaving.usual
        stays *= 1 - own * factor
        spared *= 1 - leaving.usual * factor
      }
      sum += spared - stays
    }
    return sum / windowDays
  }
  return (ofCustomer(1) + ofCustomer(3)) / 2
}

describe('what an event does to those who meet it', () => {
  it('is found where it drives customers away', async () => {
    const measured = await measure(['complaint'])
    expect(measured.reason).toBeNull()
    expect(measured.exposed).toBeGreaterThan(300)
    const [low, high] = interval(churnOf(measured))
    expect(low).toBeGreaterThan(0.02)
    expect(low).toBeLessThan(trueEffect())
    expect(high).toBeGreaterThan(trueEffect())
  }, 120_000)
  it('is not taken for one where those who leave anyhow meet it more often', async () => {
    const { effect, standardError } = churnOf(await measure(['letter']))
    expect(Math.abs(effect)).toBeLessThan(3 * standardError)
  }, 120_000)
  it('is the same for the same seed', async () => {
    expect(await measure(['complaint'])).toEqual(await measure(['complaint']))
  }, 120_000)
  it('cannot be told from too few', async () => {
    const measured = await measure(['cancel'])
    expect(measured.effects).toEqual([])
    expect(measured.reason).toMatch(/of 100 needed/)
  }, 120_000)
})
