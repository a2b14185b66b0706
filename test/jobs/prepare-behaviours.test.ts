import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { prepareBehaviours } from '../../src/jobs/prepare-behaviours.ts'
import { askWhatIf } from '../../src/jobs/what-if.ts'
import { WhatIfSession } from '../../src/jobs/what-if-session.ts'
import { parseScenario } from '../../src/simulation/scenario.ts'
import { makeTrainedCompany, type TrainedCompany } from '../api/trained-company.ts'

let company: TrainedCompany
let session: WhatIfSession
let folder: string

beforeAll(async () => {
  company = await makeTrainedCompany()
  session = new WhatIfSession(company.program, company)
  const { asked, version } = await session.current()
  folder = join(asked.lake.folder, 'measured', version)
}, 600_000)
afterAll(async () => {
  await session.close()
  await company.remove()
})

function prepare(): Promise<void> {
  const { signal } = new AbortController()
  return prepareBehaviours({ session, scratchFolder: company.dataFolder, seed: 1, signal })
}

function askFewerTickets() {
  return askWhatIf(company.program, {
    ...{ ...company, session, isFull: false, seed: 1, reporter: silentReporter },
    scenario: parseScenario({ changes: [{ events: ['ticket'], remove: 0.5 }] }),
  })
}

async function readMeasured(): Promise<Record<string, string>> {
  const names = await readdir(folder)
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return Object.fromEntries(names.map((name, place) => [name, contents[place]]))
}

describe('what events do', () => {
  it('is measured once of each type that no outcome is made of, and serves questions', async () => {
    const asked = await askFewerTickets()
    expect(Object.keys(await readMeasured())).toHaveLength(1)
    await prepare()
    const measured = await readMeasured()
    const { catalogue } = (await session.current()).asked.predictor
    const outcomeTypes = company.program.outcomes.flatMap(({ eventTypes }) => eventTypes)
    const types = catalogue.eventTypes.filter((type) => !outcomeTypes.includes(type))
    expect(Object.keys(measured)).toHaveLength(types.length)
    await prepare()
    expect(await readMeasured()).toEqual(measured)
    expect(await askFewerTickets()).toEqual(asked)
  })
  it('is measured anew where what was kept cannot be read', async () => {
    const before = await readMeasured()
    const [name] = Object.keys(before)
    await writeFile(join(folder, name), '{"effects": [')
    await prepare()
    expect(await readMeasured()).toEqual(before)
  })
})

describe('a population that is still open', () => {
  it('gives the same answers, also with others asked in between', async () => {
    const first = await askFewerTickets()
    await askWhatIf(company.program, {
      ...{ ...company, session, isFull: false, seed: 1, reporter: silentReporter },
      scenario: parseScenario({
        population: { where: [{ field: 'plan', is: 'gold' }] },
        changes: [{ events: ['ticket'], add: 1 }],
      }),
    })
    expect(await askFewerTickets()).toEqual(first)
    expect(await askFewerTickets()).toEqual(first)
    const fresh = new WhatIfSession(company.program, company)
    const anew = await askWhatIf(company.program, {
      ...{ ...company, session: fresh, isFull: false, seed: 1, reporter: silentReporter },
      scenario: parseScenario({ changes: [{ events: ['ticket'], remove: 0.5 }] }),
    })
    await fresh.close()
    expect(anew).toEqual(first)
  })
})
