import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findInterpreter, forecastPeers, type PeerJob, tuningNotes } from '../../bench/quality-peers.ts'
import type { QualitySplit, QualityTask } from '../../bench/quality-splits.ts'
import { type ExportedTable, exportTable } from '../../bench/quality-table.ts'
import { auc } from '../../src/model/metrics.ts'
import { madeDataset } from '../training/made-dataset.ts'

it('a missing Python is said in one sentence that names it and where the remedy stands', async () => {
  const { interpreter, missing } = await findInterpreter('/nowhere/python')
  expect(interpreter.versions).toEqual({})
  expect(missing).toContain('/nowhere/python (LOYALCAST_PEERS_PYTHON)')
  expect(missing).toContain('bench/peers/README.md')
})

const rows = (...row: number[]) => ({
  row: Int32Array.from(row),
  label: Int32Array.from(row, (at) => at % 2),
  customer: Int32Array.from(row),
})

function splitOf(name: string, train: number[]): QualitySplit {
  const task: QualityTask = {
    name: 'churn_30',
    kind: 'outcome',
    train: { ...rows(...train), fold: Int32Array.from(train, () => 0) },
    test: rows(3),
  }
  return { name, tunedOn: name, judged: [task], inner: { testFrom: null } } as unknown as QualitySplit
}

const { frame } = madeDataset(
  [1.5, null, 3, 4].map((x, customer) => ({
    customer,
    cutoff: 1000,
    features: { x, plan: customer === 2 ? null : `plan ${customer % 2}` },
  })),
)

async function exported(
  splits: readonly QualitySplit[],
  of = frame,
): Promise<{ folder: string; table: ExportedTable }> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-table-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return { folder, table: await exportTable(folder, of, splits) }
}

it('a table is plain numbers, column after column, with NaN for what is missing', async () => {
  const { folder, table } = await exported([splitOf('fold 0', [0, 2])])
  expect(table.columns).toEqual([
    { name: 'x', categories: null },
    { name: 'plan', categories: ['plan 0', 'plan 1'] },
  ])
  const features = new Float64Array(new Uint8Array(await readFile(join(folder, 'features.f64'))).buffer)
  expect([...features]).toEqual([1.5, Number.NaN, 3, 4, 0, 1, Number.NaN, 1])
  const labels = new Int32Array(new Uint8Array(await readFile(join(folder, table.tasks[0].train))).buffer)
  expect([...labels]).toEqual([0, 2, 0, 0, 0, 0])
})

it('a fingerprint changes with a feature or with what is learned from, and with nothing else', async () => {
  const { table } = await exported([splitOf('fold 0', [0, 2]), splitOf('fold 1', [0, 1])])
  const again = await exported([splitOf('fold 0', [0, 2])])
  const other = { ...frame, columns: [Float64Array.from([1.5, Number.NaN, 3, 5]), frame.columns[1]] }
  const changed = await exported([splitOf('fold 0', [0, 2])], other)
  expect(again.table.fingerprints['fold 0']).toBe(table.fingerprints['fold 0'])
  expect(table.fingerprints['fold 1']).not.toBe(table.fingerprints['fold 0'])
  expect(changed.table.fingerprints['fold 0']).not.toBe(table.fingerprints['fold 0'])
})

it('settings tuned on other data, and peers that are not tuned, are said in words', async () => {
  const { folder, table } = await exported([
    splitOf('fold 0', [0, 2]),
    splitOf('fold 1', [0, 1]),
    splitOf('fold 2', [1]),
  ])
  const tuned = {
    versions: {},
    splits: {
      'telco/fold 0': { fingerprint: table.fingerprints['fold 0'], tasks: {} },
      'telco/fold 1': { fingerprint: 'of other data', tasks: {} },
    },
  }
  const interpreter = { command: 'python3', versions: {} }
  const job: PeerJob = { interpreter, program: 'telco', folder, table, tuned }
  const notes = tuningNotes(job)
  expect(notes).toHaveLength(2)
  expect(notes[0]).toMatch(/telco, fold 1, are not those/)
  expect(notes[1]).toMatch(/telco, fold 2, are not tuned.*--tune telco/)
})

const python = process.env.LOYALCAST_PEERS_PYTHON

it.skipIf(python === undefined)(
  'peers learn from numbers, gaps and categories, and keep the order of the rows',
  async () => {
    const customers = Array.from({ length: 500 }, (_, customer) => customer)
    const isLikely = (customer: number) => (customer * 7919) % 10 < 4
    const { frame: features } = madeDataset(
      customers.map((customer) => ({
        customer,
        cutoff: 1000,
        features: {
          x: isLikely(customer) ? null : customer % 13,
          plan: customer % 3 === 0 ? null : `plan ${customer % 3}`,
        },
      })),
    )
    const labelled = (of: number[]) => ({
      row: Int32Array.from(of),
      label: Int32Array.from(of, (customer) => (isLikely(customer) !== (customer % 20 === 0) ? 1 : 0)),
      customer: Int32Array.from(of),
    })
    const learned = customers.slice(0, 400)
    const task: QualityTask = {
      name: 'churn_30',
      kind: 'outcome',
      train: { ...labelled(learned), fold: Int32Array.from(learned, (customer) => customer % 5) },
      test: labelled(customers.slice(400).reverse()),
    }
    const split = { name: 'fold 0', judged: [task], inner: { testFrom: null } } as unknown as QualitySplit
    const { folder, table } = await exported([split], features)
    const { interpreter, missing } = await findInterpreter(python as string)
    expect(missing).toBeNull()
    const tuned = { versions: {}, splits: {} }
    const said = await forecastPeers({ interpreter, program: 'made', folder, table, tuned })
    expect([...said.keys()]).toEqual(['logistic', 'xgboost', 'lightgbm', 'catboost'])
    for (const [peer, bySplit] of said) {
      const forecast = bySplit.get('fold 0')?.get('churn_30')
      const probability = forecast?.values ?? []
      expect(auc({ probability, happened: task.test.label }), peer).toBeGreaterThan(0.85)
    }
  },
)
