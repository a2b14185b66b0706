import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { MeasuredStore } from '../../src/jobs/measured-store.ts'
import { prepareMeasurements } from '../../src/jobs/prepare-measurements.ts'
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
  return prepareMeasurements({ session, scratchFolder: company.dataFolder, seed: 1, signal })
}

function askFewerTickets() {
  return askWhatIf(company.program, {
    ...{ ...company, session, isFull: false, seed: 1, reporter: silentReporter },
    scenario: parseScenario({ changes: [{ events: ['ticket'], remove: 0.5 }] }),
  })
}

async function readMeasured(): Promise<Record<string, string>> {
  const names = await readdir(folder)
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name), 'base64')))
  return Object.fromEntries(names.map((name, place) => [name, contents[place]]))
}

describe('what was measured', () => {
  it('is kept under its name, in place of what was measured from something else', async () => {
    const lake = await mkdtemp(join(tmpdir(), 'measured-'))
    const store = new MeasuredStore(lake, '2024-01-01-1')
    let made = 0
    const make = async () => ({ made: ++made, weights: Float64Array.of(0.5, Number.NaN) })
    const ask = (name: string, mark: string) => store.keep({ name, mark }, make)
    const first = await ask('a', 'monday')
    expect(first).toEqual({ made: 1, weights: Float64Array.of(0.5, Number.NaN) })
    expect(await ask('a', 'monday')).toEqual(first)
    expect((await ask('a', 'tuesday')).made).toBe(2)
    expect((await ask('b', 'tuesday')).made).toBe(3)
    expect((await ask('a', 'tuesday')).made).toBe(2)
    expect(await readdir(join(lake, 'measured', '2024-01-01-1'))).toHaveLength(2)
    await expect(store.keep({ name: 'c', mark: '' }, () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    )
    expect((await ask('c', '')).made).toBe(4)
    await rm(lake, { recursive: true })
  })
  it('answers also where it cannot be kept', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'measured-'))
    const file = join(folder, 'no-folder')
    await writeFile(file, '')
    const store = new MeasuredStore(file, '2024-01-01-1')
    let made = 0
    const ask = () => store.keep({ name: 'a', mark: '' }, async () => ++made)
    expect([await ask(), await ask()]).toEqual([1, 2])
    await rm(folder, { recursive: true })
  })
})

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
    await writeFile(join(folder, name), 'half of it')
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
