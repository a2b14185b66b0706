import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { moneyColumns, predictionColumns } from '../../src/domain/prediction.ts'
import { plainShape } from '../../src/engage/export-shapes.ts'
import { exportPredictions } from '../../src/jobs/export.ts'
import { openLake } from '../../src/lake/lake.ts'
import { forecastGroup } from '../../src/model/group-forecast.ts'
import { Registry } from '../../src/model/registry.ts'
import { makeProgram, queryRows } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Served, serveMade } from './served.ts'
import { makeTrainedCompany, type TrainedCompany, trainedDays } from './trained-company.ts'

// biome-ignore lint/suspicious/noExplicitAny: rows and cards of any shape
type Any = any

let made: TrainedCompany
let served: Served
const version = '2025-01-20-1'
const latest = trainedDays[trainedDays.length - 1]
beforeAll(async () => {
  made = await makeTrainedCompany()
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const address = '/v1/programs/small-company'
const read = (path: string) => served.read(`${address}${path}`)

/** A figure of the exported rows of a day, worked out by a query. */
async function figure(date: string, sql: string, where = 'true'): Promise<number> {
  const file = join(made.folder, `${date}.parquet`)
  await exportPredictions(made.program, { ...made, date, shape: plainShape('parquet'), file })
  return (await queryRows<{ value: number }>(`select ${sql} as value from '${file}' where ${where}`))[0].value
}

/** An amount as text in whole pennies, without floating numbers. **Errors** where there is a part of a penny. */
function penniesOf(text: string): bigint {
  const [, sign, whole, part = ''] = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(text) as RegExpExecArray
  return BigInt(`${sign}${whole}${part.padEnd(2, '0')}`)
}

describe('the API of a trained company', () => {
  it('shows each row as it is exported, drivers and flags as JSON', async () => {
    const file = join(made.folder, 'rows.ndjson')
    await exportPredictions(made.program, { ...made, date: latest, shape: plainShape('ndjson'), file })
    const rows: Any[] = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { predictions, next_cursor } = await read('/predictions?limit=1000')
    expect([predictions, next_cursor]).toEqual([rows, null])
    expect(Object.keys(predictions[0]).sort()).toEqual(
      predictionColumns(made.program)
        .map(({ name }) => name)
        .sort(),
    )
    expect(await read(`/customers/${rows[3].customer_id}/prediction`)).toEqual(rows[3])
    expect(rows.some((row) => row.top_drivers.length > 0)).toBe(true)
  })

  it('says what a program is', async () => {
    expect((await served.read('/v1/programs')).programs).toEqual([
      {
        program: 'small-company',
        population: 'customer',
        currency: 'EUR',
        timezone: 'Europe/Berlin',
        horizons_days: [30, 60, 90],
        outcomes: [
          { name: 'churn', kind: 'event', is_desired: false },
          { name: 'upsell', kind: 'event', is_desired: true },
          { name: 'inactivity', kind: 'absence', is_desired: false },
        ],
        champion: version,
        days: { count: 3, first: trainedDays[0], last: latest },
      },
    ])
  })

  it('shows versions with what their card says of their skill', async () => {
    const card: Any = JSON.parse(
      await readFile(
        join(new Registry(made.modelsFolder, 'small-company').folderOf(version), 'card.json'),
        'utf8',
      ),
    )
    const { champion, versions, promotions } = await read('/models')
    expect([champion, versions.length, promotions[0].version]).toEqual([version, 1, version])
    const [model] = versions
    expect(model).toMatchObject({
      version,
      is_champion: true,
      as_of: '2025-01-20',
      trained_at: card.trainedAt,
    })
    expect(Object.keys(model.outcomes)).toEqual(card.outcomes.map(({ name }: Any) => name))
    const churn = card.outcomes.find(({ name }: Any) => name === 'churn')
    expect(model.outcomes.churn.has_skill).toBe(true)
    expect(model.outcomes.churn.gain.ci95[0]).toBe(churn.gain.low)
    expect(model.outcomes.churn.horizons['90'].log_loss).toBe(churn.horizons[2].metrics.model.logLoss)
    expect(model.nps.mae).toBe(card.nps.metrics.model.mae)
  })
})

describe('the summary', () => {
  it('adds up the rows of the day', async () => {
    for (const date of trainedDays) {
      const summary = await read(`/summary?date=${date}`)
      expect(summary).toMatchObject({
        program: 'small-company',
        date,
        model_version: version,
        currency: 'EUR',
      })
      expect(summary.customers).toBe(await figure(date, 'count(*)'))
      expect(summary.predicted + summary.abstained).toBe(summary.customers)
      expect(summary.nps['0'].value).toBeCloseTo(await figure(date, '100 * avg(p_promoter - p_detractor)'), 3)
      expect(summary.nps['60'].value).toBeCloseTo(
        await figure(date, '100 * avg(p_promoter_60 - p_detractor_60)'),
        3,
      )
      expect(summary.outcomes.churn_90.rate).toBeCloseTo(await figure(date, 'avg(churn_90)'), 6)
      expect(summary.outcomes.inactivity_30.customers).toBeCloseTo(
        await figure(date, 'sum(inactivity_30)'),
        1,
      )
      expect(summary.value_at_risk).toBeCloseTo(await figure(date, 'sum(value_at_risk)'), 2)
      expect(summary.expected_gain).toBeCloseTo(await figure(date, 'sum(expected_gain)'), 2)
      expect(summary.annual_value).toBeCloseTo(await figure(date, 'sum(annual_value)'), 2)
    }
    expect(await read('/summary')).toEqual(await read(`/summary?date=${latest}`))
  })

  it('adds up money to the penny of what is exported, for everybody and by segment', async () => {
    const file = join(made.folder, 'rows.csv')
    await exportPredictions(made.program, { ...made, date: latest, shape: plainShape('csv'), file })
    const rows = await queryRows<Record<string, string | null>>(
      `select segment, ${moneyColumns.join(', ')} from read_csv('${file}', all_varchar = true)`,
    )
    const { segments, ...everybody } = await read('/summary')
    expect(segments.length).toBeGreaterThan(0)
    for (const group of [everybody, ...segments]) {
      const own = rows.filter(({ segment }) => group === everybody || segment === group.segment)
      expect(own.length).toBe(group.customers)
      for (const name of moneyColumns) {
        const pennies = own.reduce((sum, row) => sum + penniesOf(row[name] as string), 0n)
        expect(penniesOf(String(group[name])), name).toBe(pennies)
      }
    }
  })

  it('has the intervals that the errors of the version give', async () => {
    const { groupErrors }: Any = JSON.parse(
      await readFile(join(made.modelsFolder, 'small-company', version, 'card.json'), 'utf8'),
    )
    const { nps, outcomes, customers } = await read('/summary')
    const net = forecastGroup(nps['30'].value, customers, { error: groupErrors.nps_30, range: [-100, 100] })
    expect(nps['30'].ci95[0]).toBeCloseTo(net.ci95?.[0] ?? Number.NaN, 3)
    expect(nps['30'].ci95[1]).toBeCloseTo(net.ci95?.[1] ?? Number.NaN, 3)
    const { rate, ci95, customers_ci95, customers: expected } = outcomes.churn_60
    const churn = forecastGroup(rate, customers, { error: groupErrors.churn_60, range: [0, 1] })
    expect(ci95[1]).toBeCloseTo(churn.ci95?.[1] ?? Number.NaN, 5)
    expect(customers_ci95[0]).toBeLessThan(expected)
    expect(customers_ci95[1]).toBeCloseTo(ci95[1] * customers, 1)
  })

  it('says the same of each segment that has customers', async () => {
    const { segments } = await read('/summary')
    const found = await figure(latest, 'count(distinct segment)')
    expect(segments.length).toBe(found)
    for (const { segment, customers, nps, outcomes } of segments) {
      const inside = `segment = '${segment}'`
      expect(customers).toBe(await figure(latest, 'count(*)', inside))
      expect(nps['0'].value).toBeCloseTo(
        await figure(latest, '100 * avg(p_promoter - p_detractor)', inside),
        3,
      )
      // Served with six decimals: at most half of the last one off, but for the rounding of doubles.
      const off = Math.abs(outcomes.churn_90.rate - (await figure(latest, 'avg(churn_90)', inside)))
      expect(off).toBeLessThan(5e-7 + 1e-12)
    }
  })

  it('shows how it went until the day', async () => {
    const { history, nps, outcomes, value_at_risk } = await read('/summary')
    expect(history.map(({ date }: Any) => date)).toEqual(trainedDays)
    expect(history[2]).toMatchObject({ nps: nps['0'], value_at_risk, model_version: version })
    expect(history[2].outcomes.churn_30).toBe(outcomes.churn_30.rate)
    const earlier = await read(`/summary?date=${trainedDays[1]}`)
    expect(earlier.history.map(({ date }: Any) => date)).toEqual(trainedDays.slice(0, 2))
  })
})

describe('a summary of what is only partly known', () => {
  it('has null where nothing is known, and no interval where the version has no card', async () => {
    const plain = await makeProgram({ yaml: madeYaml })
    await publishDay(plain, '2026-10-01', [
      madeRow('a', { churn_30: 0.2, annual_value: 100, segment: 'at-risk-passives' }),
      madeRow('b', { churn_30: 0.4 }),
      madeRow('c', { status: 'abstained', reason: 'too little' }),
    ])
    const beside = await serveMade(plain)
    try {
      const summary = await beside.read('/v1/programs/test/summary')
      expect(summary).toMatchObject({ customers: 3, predicted: 2, abstained: 1 })
      expect(summary.nps).toEqual({ '0': null, '30': null, '60': null, '90': null })
      expect(summary.outcomes.churn_30).toEqual({
        rate: 0.3,
        ci95: null,
        customers: 0.6,
        customers_ci95: null,
      })
      expect(summary.outcomes.churn_90).toBeNull()
      expect([summary.annual_value, summary.value_at_risk, summary.expected_gain]).toEqual([100, null, null])
      expect(summary.segments).toMatchObject([{ segment: 'at-risk-passives', customers: 1 }])
      expect((await beside.read('/v1/programs/test/models')).versions).toEqual([])
    } finally {
      await beside.close()
    }
  })

  it('takes days that were predicted before the program got an outcome, or with one that it lost', async () => {
    const plain = await makeProgram({ yaml: madeYaml })
    await publishDay(plain, '2026-10-01', [madeRow('a', { churn_30: 0.2, upsell_30: 0.1 })])
    const yaml = madeYaml.replace(
      'upsell: { event: [upgrade], desired: true }',
      'advocacy: { event: [praise] }',
    )
    const changed = await plain.redefine({ yaml: yaml.replace(', upsell: 100', '') })
    const beside = await serveMade({ ...plain, program: changed })
    try {
      const [row] = (await beside.read('/v1/programs/test/predictions?sort=-churn')).predictions
      expect(row).toMatchObject({ churn_30: 0.2, advocacy_30: null })
      expect(row).not.toHaveProperty('upsell_30')
      const { outcomes } = await beside.read('/v1/programs/test/summary')
      expect(outcomes).toMatchObject({ churn_30: { rate: 0.2 }, advocacy_30: null })
    } finally {
      await beside.close()
    }
  })

  it('takes days that were predicted before there was a column, and amounts finer than pennies', async () => {
    const plain = await makeProgram({ yaml: madeYaml })
    await publishDay(plain, '2026-10-01', [
      madeRow('a', { annual_value: 0.1, value_at_risk: 0.004999, segment: 'at-risk-passives' }),
      madeRow('b', { annual_value: 0.2, value_at_risk: 0.005001, segment: 'at-risk-passives' }),
      madeRow('c', { annual_value: 1e12, value_at_risk: -0.02 }),
    ])
    const lake = await openLake(plain.dataFolder, plain.program)
    const file = join(lake.folder, lake.state.predictions.get('2026-10-01')?.path as string)
    const older = join(plain.folder, 'older.parquet')
    await queryRows(`copy (select * exclude (expected_value_12m) from '${file}') to '${older}'`)
    await rename(older, file)
    const beside = await serveMade(plain)
    try {
      const summary = await beside.read('/v1/programs/test/summary')
      expect(summary).toMatchObject({
        annual_value: 1e12 + 0.3,
        value_at_risk: -0.01,
        expected_value_12m: null,
      })
      expect(summary.segments).toMatchObject([{ annual_value: 0.3, value_at_risk: 0.01 }])
      const [row] = (await beside.read('/v1/programs/test/predictions')).predictions
      expect(row).toMatchObject({ annual_value: 0.1, expected_value_12m: null })
    } finally {
      await beside.close()
    }
  })

  it('takes a day on which nobody was at risk', async () => {
    const plain = await makeProgram({ yaml: madeYaml })
    await publishDay(plain, '2026-10-01', [])
    const beside = await serveMade(plain)
    try {
      expect(await beside.read('/v1/programs/test/summary')).toMatchObject({
        ...{ customers: 0, nps: { '0': null }, outcomes: { churn_30: null }, segments: [] },
      })
      expect((await beside.read('/v1/programs/test/predictions')).predictions).toEqual([])
    } finally {
      await beside.close()
    }
  })
})
