import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { loyalcast } from '../cli/commands.ts'
import { makeProgram } from '../programs.ts'
import { expectWords, header, programOf, rows, run } from './refusals.ts'

describe('a command that is used wrongly says what is allowed', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown command', ['inject', 'p'], /unknown command 'inject'/],
    ['a misspelt command', ['ingset', 'p'], /unknown command 'ingset'.*Did you mean ingest/s],
    ['an unknown option', ['ingest', 'p', '--fast'], /unknown option '--fast'/],
    ['no program', ['ingest'], /missing required argument 'program'/],
    ['a program that is not there', ['ingest', 'nowhere/p.yaml'], /nowhere\/p\.yaml: no such file/],
    ['no day', ['daily', 'p'], /required option '--date/],
    ['a day that is none', ['daily', 'p', '--date', '2026-02-30'], /--date is 2026-02-30; a day looks like/],
    [
      'a day in another order',
      ['daily', 'p', '--date', '20.11.2026'],
      /--date is 20\.11\.2026; a day looks like/,
    ],
    ['no as-of day', ['train', 'p', '--as-of', 'now'], /--as-of is now; a day looks like/],
    ['no number of rows', ['train', 'p', '--max-rows', 'many'], /--max-rows is many; it is a whole number/],
    ['no seed', ['train', 'p', '--seed', '-1'], /--seed is -1; it is a whole number/],
    [
      'an unknown format',
      ['export', 'p', 'predictions', '--date', '2026-10-01', '--format', 'xlsx'],
      /csv, ndjson, parquet/,
    ],
    [
      'something else to export',
      ['export', 'p', 'models', '--date', '2026-10-01'],
      /what can be exported is: predictions/,
    ],
    ['an unknown action', ['models', 'p', 'delete'], /the action is one of list, show, promote, rollback/],
    [
      'a version that is not there',
      ['models', 'p', 'show', '2026-01-01-1'],
      /There is no version 2026-01-01-1\. None was trained/,
    ],
    ['no initiative', ['measure', 'p'], /missing required argument 'initiative'/],
    ['an initiative without interventions', ['measure', 'p', 'call'], /has no interventions: add sources\./],
    ['no scenario', ['what-if', 'p', 'none.json'], /none\.json cannot be read/],
    ['a scenario that is no JSON', ['what-if', 'p', 'p'], /program\.yaml is no JSON/],
  ])('%s', async (_, args, words) => {
    const made = await programOf('e.csv', header + rows)
    const place = args.map((arg) => (arg === 'p' ? made.path : arg))
    const done = await loyalcast([...place, '--data', made.dataFolder, '--models', made.modelsFolder])
    expectWords(done, words)
  })
})

it('a scenario without a trained version says what to do', async () => {
  const made = await programOf('e.csv', header + rows)
  const scenario = join(made.folder, 'scenario.json')
  await writeFile(scenario, '{ "changes": [] }')
  const place = ['--data', made.dataFolder, '--models', made.modelsFolder]
  expectWords(
    await loyalcast(['what-if', made.path, scenario, ...place]),
    /has no model yet.*loyalcast train/,
  )
})

describe('a program file that is wrong is named with the line', () => {
  it.each<[string, string, RegExp]>([
    ['a tab', 'program: test\nsources:\n\tevents: { file: e.csv }\n', /p\.yaml.*3.*tab/is],
    ['a key twice', 'program: test\nprogram: other\n', /p\.yaml.*2.*(twice|unique|duplicate)/is],
    ['a wrong type', 'program: test\nsources: 7\n', /p\.yaml.*2.*sources.*7/is],
    ['an unknown key', 'program: test\nsorces: {}\n', /sorces.*sources/is],
    ['nothing', '', /p\.yaml, line 1: found nothing; allowed: a map/],
  ])('%s', async (_, text, words) => {
    const made = await programOf('e.csv', header + rows)
    const path = join(made.folder, 'p.yaml')
    await writeFile(path, text)
    expectWords(await loyalcast(['ingest', path, '--data', made.dataFolder]), words)
  })
})

describe('a program with next to nothing', () => {
  const outcomes = { churn: { absence_of: ['login'] } }
  const make = (text: string, more: object = {}) =>
    makeProgram({
      files: { 'e.csv': text },
      yaml: stringify({ sources: { events: { file: 'e.csv' } }, outcomes, ...more }),
    })

  it.each<[string, string, number, RegExp]>([
    ['only a header', header, 2, /no dated rows|no row with a date/],
    [
      'one event',
      `${header}a,2026-10-01,login,1\n`,
      3,
      /churn is not predicted: No customer was observed for the whole first horizon/,
    ],
    [
      'one customer',
      header + rows.replaceAll(/^c\d+/gm, 'c'),
      3,
      /churn is not predicted: No customer was observed for the whole first horizon/,
    ],
    ['no responses and no customers', header + rows, 3, /nps is not predicted: There are no NPS answers/],
  ])('%s says what is missing', async (_, text, code, words) => {
    const made = await make(text)
    expectWords(await run(made, 'train'), words, code)
    const checked = await run(made, 'check')
    expectWords(checked, /Cannot be predicted|no row with a date/, 3)
    if (code === 2) return
    expectWords(await run(made, 'daily', '--date', '2026-10-30'), /\d+ customers at risk .* abstained/, 3)
  })

  it('predicts nothing before it is trained, and nobody before its data', async () => {
    const made = await make(header + rows)
    expectWords(
      await run(made, 'daily', '--date', '2026-10-30'),
      /test has no model yet\. Run loyalcast train/,
    )
    expectWords(
      await run(made, 'train', '--as-of', '1999-01-01'),
      /--as-of is 1999-01-01; the data run from 2026-10-10/,
    )
    await run(made, 'train')
    expectWords(await run(made, 'daily', '--date', '1999-01-01'), /0 customers at risk on 1999-01-01/, 3)
    const late = await run(made, 'daily', '--date', '2036-01-01')
    expectWords(late, /Note: 2036-01-01 is \d+ days after the last data \(2026-10-29\)/, 3)
    expectWords(
      await run(made, 'export', 'predictions', '--date', '2026-10-31'),
      /No predictions of 2026-10-31\. There are predictions of: 1999-01-01, 2036-01-01/,
    )
    const none = await run(made, 'export', 'predictions', '--date', '1999-01-01')
    expect(none.code).toBe(0)
    expect(none.stdout.split('\n')).toHaveLength(2)
  })
})
