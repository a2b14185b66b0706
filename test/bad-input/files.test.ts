import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { queryLake, refusedRows } from '../lakes.ts'
import type { FileContent } from '../programs.ts'
import { expectWords, header, programOf, rows, run } from './refusals.ts'

const whole = header + rows
const noise = Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * n * 31 + n * 7919) % 256))

describe('a file that cannot be read is named, with what is wrong and what to do', () => {
  it.each<[string, string, FileContent, RegExp]>([
    ['empty', 'e.csv', '', /e\.csv is empty, without even a header/],
    ['UTF-16', 'e.csv', Buffer.from(`\ufeff${whole}`, 'utf16le'), /not utf-8.*Save the file as UTF-8/is],
    [
      'Latin-1',
      'e.csv',
      Buffer.from(`${whole}José,2026-10-01,login,1\n`, 'latin1'),
      /not utf-8.*Save the file as/is,
    ],
    ['gzip that ends early', 'e.csv.gz', gzipSync(whole).subarray(0, 150), /e\.csv\.gz ends early.*whole/],
    ['gzip that is none', 'e.csv.gz', whole, /e\.csv\.gz is damaged or not gzipped/],
    ['noise', 'e.csv', noise, /^sources\.events\[0\]: .*(UTF-8|separator)/ims],
    ['half a JSON', 'e.ndjson', '{"customer_id":"a"}\n{"at":', /Malformed JSON in file ".*e\.ndjson".*Mend/s],
    ['half a Parquet', 'e.parquet', 'PAR1aaaaaaaaaaPAR1', /e\.parquet.*Mend the file/s],
    [
      'a missing column',
      'e.csv',
      'customer,at,type\na,2026-10-01,x\n',
      /column missing: customer_id \(is it customer\?\)\. Found: customer, at, type\./,
    ],
    ['no header', 'e.csv', rows, /column missing: customer_id, at, type\. Found: c0/],
    [
      'a name twice',
      'e.csv',
      'customer_id,at,type,type\na,2026-10-01,x,y\n',
      /two columns of .*e\.csv are called type/,
    ],
    [
      'short lines only',
      'e.csv',
      `${header}a,2026-10-01\nb,2026-10-01\n`,
      /not a single line of .*e\.csv can be read\. Line 2/,
    ],
    [
      'odd dates only',
      'e.csv',
      `${header}a,31.12.2025,login,1\n`,
      /no row has a time that can be read.*strptime\("at", '%d\/%m\/%Y'\)/,
    ],
    [
      'days without separators',
      'e.csv',
      `${header}a,20251231,login,1\n`,
      /no row has a time that can be read.*strptime\("at", '%Y%m%d'\)/,
    ],
  ])('%s', async (_, file, content, words) => {
    const made = await programOf(file, content)
    expectWords(await run(made, 'ingest'), words)
    expect(await queryLake(made, 'events')).toEqual([])
  })

  it('not there, matching nothing, or a folder', async () => {
    for (const [file, words] of [
      ['none.csv', /no file matches .*none\.csv\. Relative paths start/],
      ['none/*.csv', /no file matches .*none\/\*\.csv/],
      ['folder', /folder is a folder\. Name the files in it/],
    ] as const) {
      const made = await programOf(file)
      await mkdir(join(made.folder, 'folder'))
      expectWords(await run(made, 'ingest'), words)
    }
  })

  it('after good ones leaves the rows that are there', async () => {
    const made = await programOf('e.csv', whole)
    await run(made, 'ingest')
    const before = await queryLake(made, 'events', 'from rows order by row_id')
    await made.write('e.csv', Buffer.from(whole, 'utf16le'))
    expectWords(await run(made, 'ingest'), /Save the file as UTF-8/)
    expect(await queryLake(made, 'events', 'from rows order by row_id')).toEqual(before)
    expect(before).toHaveLength(30)
  })
})

describe('a line that has another shape than its header', () => {
  const lines: [string, string, RegExp][] = [
    ['too many columns', 'a,2026-10-02,login,1,more,still', /Expected Number of Columns: 4 Found: 5/],
    ['too few', 'a,2026-10-02', /Expected Number of Columns: 4 Found: 2/],
    ['no end', `a,2026-10-02,${'x'.repeat(3_000_000)},1`, /Maximum line size/],
  ]
  it.each(lines)('goes to quarantine with its number and text: %s', async (_, line, problem) => {
    const made = await programOf('e.csv', `${whole}${line}\n${rows.replaceAll('c', 'd')}`)
    const done = await run(made, 'ingest')
    expect(done, done.stderr).toMatchObject({ code: 0 })
    expect(done.stderr).toMatch(
      /61 read = 60 stored \+ 0 duplicate \+ 1 quarantined \(1 with a line that has other/,
    )
    const [refused] = await refusedRows(made)
    expect(refused).toMatchObject({ reason: 'malformed_line', raw: { line: 32, text: line.slice(0, 1000) } })
    expect(refused.raw.problem).toMatch(problem)
    expect(refused.raw.file).toBe(join(made.folder, 'e.csv'))
  })

  it('is read all the same where only its end is another: CR LF, or LF', async () => {
    const other = rows.replaceAll('c', 'd')
    const dos = (text: string) => text.replaceAll('\n', '\r\n')
    const files = [`${whole}${dos(other)}`, `${dos(whole)}${other}`, `${header}${dos(rows)}${dos(other)}`]
    for (const file of files) {
      const made = await programOf('e.csv', file)
      expect(JSON.parse((await run(made, 'ingest', '--json')).stdout).sources).toMatchObject([
        { read: 60, stored: 60, quarantined: 0 },
      ])
      const torn = "from rows where concat_ws(' ', customer_id, type) like '%' || chr(13) || '%'"
      expect(await queryLake(made, 'events', torn)).toEqual([])
    }
  })

  it('does so also far down a file, and leaves no trace once it is mended', async () => {
    const many = Array.from({ length: 50_000 }, (_, n) => `c${n},2026-10-01,login,${n}\n`).join('')
    const made = await programOf('e.csv', `${header}${many}a,b\n${rows.replaceAll('c', 'd')}`)
    expect(JSON.parse((await run(made, 'ingest', '--json')).stdout).sources).toMatchObject([
      { read: 50_031, stored: 50_030, quarantined: 1, reasons: { malformed_line: 1 } },
    ])
    await made.write('e.csv', `${header}${many}${rows.replaceAll('c', 'd')}`)
    expect(JSON.parse((await run(made, 'ingest', '--json')).stdout).sources).toMatchObject([
      { read: 50_030, stored: 0, quarantined: 0 },
    ])
    expect(await refusedRows(made)).toEqual([])
  })

  it('spoils neither the other lines of its file nor other files with other columns', async () => {
    const made = await programOf('e/*.csv', undefined)
    await made.write('e/1.csv', `${whole}a,2026-10-02\n`)
    await made.write('e/2.csv', 'type,plan,at,customer_id\nlogin,gold,2026-10-03,z\n')
    await run(made, 'ingest')
    const shown = await queryLake(made, 'events', 'select count(*) as rows, max(prop_plan) as plan from rows')
    expect(shown).toEqual([{ rows: 31, plan: 'gold' }])
    expect((await refusedRows(made)).map(({ reason }) => reason)).toEqual(['malformed_line'])
  })
})

describe('odd but readable', () => {
  it('ids, texts and bytes come through as they are', async () => {
    const long = 'x'.repeat(1_000_000)
    const cells = ['007', '😀', 'a\0b', ' "q"" \n" ', 'e'].map((cell) => cell.trim())
    const text = cells.map((id, n) => `${id},2026-10-0${n + 1},${n === 4 ? long : 'login'},\r\n`).join('')
    const made = await programOf('e.csv', `\ufeff${header.trim()}\r\n${text}`)
    const done = await run(made, 'ingest')
    expect(done, done.stderr).toMatchObject({ code: 0 })
    const found = await queryLake(
      made,
      'events',
      'select customer_id, length(type) as size from rows order by day',
    )
    expect(found).toEqual([
      { customer_id: '007', size: 5 },
      { customer_id: '😀', size: 5 },
      { customer_id: 'a\0b', size: 5 },
      { customer_id: 'q" \n', size: 5 },
      { customer_id: 'e', size: 1_000_000 },
    ])
  })

  it('numbers, scores and years that cannot be are refused row by row', async () => {
    const made = await programOf('e.csv', [
      { customer_id: 'a', at: '2026-10-01', type: 'login', value: '1.5' },
      { customer_id: 'a', at: '2026-10-01', type: 'login', value: '1,5' },
      { customer_id: 'a', at: '0001-01-01', type: 'login', value: '1' },
      { customer_id: 'a', at: '9999-12-31', type: 'login', value: '1' },
      { customer_id: 'a', at: '31/12/2025', type: 'login', value: '1' },
    ])
    const done = await run(made, 'check')
    expect(done.stderr).toMatch(/5 rows read = 1 usable \+ 0 duplicate \+ 4 refused/)
    await run(made, 'ingest')
    const reasons = (await refusedRows(made)).map(({ reason }) => reason)
    expect(reasons).toEqual(['bad_value', 'empty_time', 'far_future', 'bad_time'])
  })
})
