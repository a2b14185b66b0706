import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { countsOf, ingestMade, queryLake } from '../lakes.ts'
import { type FileContent, makeProgram } from '../programs.ts'

const outcomes = 'outcomes: { churn: { absence_of: login } }'
const yaml = (source: string) => `timezone: UTC\nsources: { events: ${source} }\n${outcomes}`

/** What the lake holds of one source: `customer day type`, in order. */
async function read(source: string, files: Record<string, FileContent>): Promise<string[]> {
  const made = await makeProgram({ files, yaml: yaml(source) })
  await ingestMade(made)
  const rows = await queryLake<{ row: string }>(
    made,
    'events',
    "select concat_ws(' ', customer_id, day, type) as row from rows order by 1",
  )
  return rows.map(({ row }) => row)
}

/** The message with which an ingest of one source is refused. */
async function refusal(source: string, files: Record<string, FileContent> = {}): Promise<string> {
  const made = await makeProgram({ files, yaml: yaml(source) })
  return ingestMade(made).then(
    () => 'it was not refused',
    (error) => {
      expect(error).toMatchObject({ name: 'LoyalcastError', kind: 'usage' })
      return (error as Error).message
    },
  )
}

describe('a file', () => {
  const csv = 'customer_id,at,type\nJosé,2026-10-01,login\n'
  const rows = [{ customer_id: 'José', at: '2026-10-01', type: 'login' }]
  const expected = ['José 2026-10-01 login']

  it.each<[string, string, FileContent]>([
    ['CSV', 'e.csv', csv],
    ['CSV of one source of names', 'deep/e.csv', csv],
    ['gzipped CSV', 'e.csv.gz', gzipSync(csv)],
    ['CSV with a byte order mark and CRLF', 'e.csv', `\ufeff${csv.replaceAll('\n', '\r\n')}`],
    ['CSV with semicolons', 'e.csv', csv.replaceAll(',', ';')],
    ['CSV with tabs', 'e.tsv', csv.replaceAll(',', '\t')],
    ['CSV without a last line end', 'e.csv', csv.trimEnd()],
    ['CSV with quotes', 'e.csv', 'customer_id,at,type\n"José","2026-10-01","login"\n'],
    ['JSON', 'e.json', rows],
    ['JSON lines', 'e.ndjson', rows],
    ['gzipped JSON lines', 'e.jsonl.gz', gzipSync(JSON.stringify(rows[0]))],
    ['Parquet', 'e.parquet', rows],
  ])('of %s is read', async (_, file, content) => {
    expect(await read(`{ file: ${file} }`, { [file]: content })).toEqual(expected)
  })

  it('may hold separators, quotes and line ends inside quotes', async () => {
    const content = 'customer_id,at,type\na,2026-10-01,"x, ""y""\r\nz"\nb,2026-10-02,login\n'
    expect(await read('{ file: e.csv }', { 'e.csv': content })).toEqual([
      'a 2026-10-01 x, "y"\r\nz',
      'b 2026-10-02 login',
    ])
  })

  it('keeps the leading zeros of customers', async () => {
    const content = 'customer_id,at,type\n007,2026-10-01,login\n7,2026-10-01,login\n'
    expect(await read('{ file: e.csv }', { 'e.csv': content })).toEqual([
      '007 2026-10-01 login',
      '7 2026-10-01 login',
    ])
  })

  it('without rows is no error, and adds none', async () => {
    expect(await read('{ file: e.csv }', { 'e.csv': 'customer_id,at,type\n' })).toEqual([])
    const none = { select: "select 'a' as customer_id, date '2026-10-01' as at, 'x' as type where false" }
    expect(await read('{ file: e.parquet }', { 'e.parquet': none })).toEqual([])
  })

  it('among others may be empty, or have other columns in another order', async () => {
    const files = {
      'e/1.csv': 'customer_id,at,type\na,2026-10-01,login\n',
      'e/2.csv': 'type,x,customer_id,at\nlogin,1,b,2026-10-02\n',
      'e/3.csv': '',
    }
    expect(await read('{ file: e/*.csv }', files)).toEqual(['a 2026-10-01 login', 'b 2026-10-02 login'])
  })

  it('has its columns renamed, whatever their case and whatever else they are called', async () => {
    const content = 'User,ts,name,type\na,2026-10-01,login,x\n'
    const source = '{ file: e.csv, columns: { customer_id: user, at: ts, type: name } }'
    expect(await read(source, { 'e.csv': content })).toEqual(['a 2026-10-01 login'])
  })
})

describe('a source that cannot be read is refused with its name and', () => {
  const good = 'customer_id,at,type\na,2026-10-01,login\n'

  it('the columns that it has, where one is missing', async () => {
    const content = 'customer,at,type\na,2026-10-01,login\n'
    expect(await refusal('{ file: e.csv }', { 'e.csv': content })).toBe(
      "sources.events[0]: column missing: customer_id (is it customer?). Found: customer, at, type. Map it under columns: (customer_id: its name in the file). What the file lacks can be added: sql: select *, 'login' as type from read_csv('…', all_varchar = true).",
    )
    expect(await refusal('{ file: e.csv, columns: { customer_id: user } }', { 'e.csv': content })).toMatch(
      /column missing: user.*Found: customer, at, type/,
    )
    expect(await refusal('{ sql: "select 1 as a" }')).toMatch(
      /column missing: customer_id, at.*, type\. Found: a\. Rename/,
    )
  })

  it('the column that occurs twice', async () => {
    expect(
      await refusal(
        `{ sql: "select 1 as customer_id, 2 as Customer_ID, date '2026-10-01' as at, 'x' as type" }`,
      ),
    ).toMatch(/^sources\.events\[0\]: two columns are called customer_id/i)
  })

  it('what DuckDB says of its select', async () => {
    expect(await refusal('{ sql: "selekt 1" }')).toMatch(
      /^sources\.events\[0\]: DuckDB could not read it: Parser Error/,
    )
    expect(await refusal('{ sql: "select nothing as customer_id from nowhere" }')).toMatch(/nowhere/)
    expect(
      await refusal(
        `{ sql: "select 'a' as customer_id, date '2026-10-01' as at, x::integer::varchar as type from (values ('1'), ('x')) as t (x)" }`,
      ),
    ).toMatch(/Could not convert string 'x'.*\n?.*try_cast/s)
  })

  it('the pattern that matches nothing', async () => {
    expect(await refusal('{ file: nowhere/*.csv }')).toMatch(
      /^sources\.events\[0\]: no file matches .*nowhere\/\*\.csv\./,
    )
    expect(await refusal(`{ sql: "select * from read_csv('nowhere.csv')" }`)).toMatch(
      /no file matches .*nowhere\.csv/,
    )
  })

  it('the formats that there are', async () => {
    expect(await refusal('{ file: e.xlsx }', { 'e.xlsx': 'PK' })).toMatch(
      /e\.xlsx is none of csv, csv\.gz, json/,
    )
    expect(await refusal("{ file: 'e.*' }", { 'e.csv': good, 'e.ndjson': '{}\n' })).toMatch(
      /several formats: csv, json/,
    )
    expect(await refusal('{ file: e.parquet }', { 'e.parquet': 'no parquet' })).toMatch(
      /^sources\.events\[0\]: DuckDB could not read it: .*e\.parquet/,
    )
  })

  it('the file that is empty', async () => {
    for (const file of ['e.csv', 'e.ndjson', 'e.parquet']) {
      expect(await refusal(`{ file: ${file} }`, { [file]: '' })).toMatch(/is empty, without even a header\.$/)
    }
  })

  it('the encoding where it is not UTF-8', async () => {
    const latin = Buffer.from('customer_id,at,type\nJosé,2026-10-01,login\n', 'latin1')
    const wide = Buffer.from(`\ufeff${good}`, 'utf16le')
    for (const content of [latin, wide]) {
      expect(await refusal('{ file: e.csv }', { 'e.csv': content })).toMatch(
        /^sources\.events\[0\].*Save the file as UTF-8/s,
      )
    }
  })

  it('the folder that is no file', async () => {
    const made = await makeProgram({ yaml: yaml('{ file: clicks }') })
    await mkdir(join(made.folder, 'clicks'))
    await expect(ingestMade(made)).rejects.toThrow(
      /clicks is a folder\. Name the files in it, for example .*clicks\/\*\.csv\./,
    )
  })

  it('the address that is not on this machine', async () => {
    expect(await refusal('{ file: "s3://bucket/e.parquet" }')).toMatch(/s3:\/\/bucket\/e\.parquet is remote/)
  })
})

describe('a select', () => {
  it('may end in a semicolon or a comment, and hold quotes', async () => {
    const select = `select 'O''Hara' as customer_id, date '2026-10-01' as at, 'login' as type`
    for (const end of [';', ' -- that is all', ' /* done */ ; ', ';\n-- done']) {
      expect(await read(`{ sql: ${JSON.stringify(select + end)} }`, {})).toEqual(["O'Hara 2026-10-01 login"])
    }
  })

  it('whose files cannot be told is read each time, and adds nothing', async () => {
    const made = await makeProgram({
      files: { 'e.csv': 'customer_id,at,type\na,2026-10-01,login\n' },
      yaml: yaml(`{ sql: "select * from read_csv('e' || '.csv')" }`).replace("'e'", "'PLACE/e'"),
    })
    const program = await made.redefine({
      yaml: yaml(`{ sql: "select * from read_csv('${made.folder}/' || 'e.csv')" }`),
    })
    await ingestMade(made, { program })
    const again = await ingestMade(made, { program })
    expect(again.sources[0].isUnchanged).toBe(false)
    expect(countsOf(again)).toEqual([[1, 0, 1, 0]])
  })
})
