import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { absolutePath, absolutePaths, blankPaths } from '../../src/domain/source-paths.ts'

const moved = (sql: string) => absolutePaths(sql, '/home').sql
const filesOf = (sql: string) => absolutePaths(sql, '/home').files

const readers = [
  'read_csv',
  'read_csv_auto',
  'read_parquet',
  'parquet_scan',
  'read_json',
  'read_json_auto',
  'read_ndjson',
  'read_ndjson_auto',
  'read_json_objects',
  'read_text',
  'glob',
]

describe('a relative path', () => {
  it.each(readers)('given to %s starts at the folder of the program', (reader) => {
    expect(absolutePaths(`select * from ${reader}('a.csv')`, '/home')).toEqual({
      sql: `select * from ${reader}('/home/a.csv')`,
      files: ['/home/a.csv'],
    })
  })

  it('is found whatever the case and the blanks around it', () => {
    expect(moved("FROM Read_CSV ( /* here */ '../a.csv' )")).toBe("FROM Read_CSV ( /* here */ '/a.csv' )")
  })

  it('is found in a list of paths', () => {
    const sql = "from read_parquet(['a.parquet', 'b/*.parquet'], union_by_name = true)"
    expect(moved(sql)).toBe(
      "from read_parquet(['/home/a.parquet', '/home/b/*.parquet'], union_by_name = true)",
    )
    expect(filesOf(sql)).toEqual(['/home/a.parquet', '/home/b/*.parquet'])
  })

  it('is found where it stands for a table', () => {
    const sql =
      "select * from 'a.csv' a join 'b/*.parquet' b on a.x = b.x, 'c.json' where y in (select z from 'd.csv')"
    expect(filesOf(sql)).toEqual(['/home/a.csv', '/home/b/*.parquet', '/home/c.json', '/home/d.csv'])
  })

  it('keeps its quotes doubled, as those of the folder are', () => {
    expect(absolutePaths("from 'it''s.csv'", "/o'clock")).toEqual({
      sql: "from '/o''clock/it''s.csv'",
      files: ["/o'clock/it's.csv"],
    })
  })
})

describe('nothing else is touched', () => {
  it.each([
    ['absolute paths', "from read_csv('/data/a.csv') join '/data/b.csv' using (x)"],
    ['remote paths', "from read_csv('https://example.org/a.csv') join 's3://bucket/b.parquet' using (x)"],
    ['paths of the home folder', "from '~/a.csv'"],
    ['later arguments', "from read_csv('/a.csv', delim = ';', nullstr = ['n.a.', '-'])"],
    ['other functions', "select replace('a.csv', 'b.csv', 'c.csv'), ['d.csv'] from t"],
    ['values compared with', "select * from t where x = 'a.csv' and y in ('b.csv', 'c.csv')"],
    [
      'values compared with after a join',
      "select * from t join u on t.x is distinct from 'a.csv' and u.y = 'b.csv'",
    ],
    [
      'what a function takes from',
      "select extract(year from '2020.01.01'), trim(both '.' from '.x.') from t",
    ],
    ['columns after the tables', "from t, u select 'a.csv', 'b.csv' group by 'c.csv', 'd.csv'"],
    ['tables whose name is quoted', "with t as (select 1) select * from 't'"],
    ['the operator glob', "select * from t where name glob ('a*')"],
    ['comments to the end of a line', "select 1 -- from read_csv('a.csv')"],
    ['comments that hold comments', "select 1 /* /* */ from 'a.csv' */"],
    ['quoted identifiers', `select "from 'a.csv'", "read_csv('b.csv')" from t`],
    ['dollar-quoted text', "select $$from 'a.csv'$$, $x$ read_csv('b.csv') $x$ from t"],
    ['text with escapes', "select e'it\\'s from ', x as \"a.csv\", e'from \\'a.csv' from t"],
    ['text that does not end', "select * from 'a.csv"],
  ])('%s', (_, sql) => {
    expect(moved(sql)).toBe(sql)
  })

  it('for any text: undoing the paths gives the text back', () => {
    const piece = fc.constantFrom(
      ...["'a.csv'", "'b/*.parquet'", "'x'", "''", "'it''s.csv'", "e'\\''", '"q.csv"', '"', "'", '$$', '$t$'],
      ...['--', '\n', '/*', '*/', '(', ')', '[', ']', ',', '=', '||', ' ', '😀', 'é', '1.5'],
      ...['from', 'join', 'select', 'where', 'distinct', 'glob', 'read_csv', 'read_parquet', 'extract', 't'],
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (pieces) => {
        const sql = pieces.join(' ')
        expect(moved(sql).replaceAll("'/home/", "'")).toBe(sql.replaceAll("'/home/", "'"))
      }),
      { numRuns: 2000 },
    )
  })

  it('for any text: a second time changes nothing', () => {
    const clause = fc.tuple(
      fc.constantFrom('from ', 'join read_csv(', 'where x = '),
      fc.stringMatching(/^[\w./' -]*$/),
    )
    fc.assert(
      fc.property(fc.array(clause), (clauses) => {
        const once = moved(
          clauses.map(([start, path]) => `${start}'${path.replaceAll("'", "''")}'`).join(' '),
        )
        expect(moved(once)).toBe(once)
      }),
    )
  })
})

describe('the list of files', () => {
  it('names each pattern once', () => {
    expect(filesOf("from 'a.csv' union all from './a.csv' union all from '/home/a.csv'")).toEqual([
      '/home/a.csv',
    ])
  })

  it.each([
    ['is computed', "from 'a.csv' join read_csv('b/' || getvariable('day')) using (x)"],
    ['is a variable', "from 'a.csv' join read_csv(getvariable('file')) using (x)"],
    ['is remote', "from 'a.csv' join 's3://bucket/b.csv' using (x)"],
  ])('is empty where a path %s, since a change would go unseen', (_, sql) => {
    expect(filesOf(sql)).toEqual([])
  })
})

describe('SQL with its paths blanked', () => {
  it('is the same for other files, and for more of them', () => {
    const one = blankPaths("from read_csv('a.csv', delim = ';')")
    expect(blankPaths("from read_csv(['x.csv', '/y.csv'], delim = ';')")).toBe(one)
  })

  it('is another one for another condition', () => {
    expect(blankPaths("from 'a.csv' where x = 'b.csv'")).not.toBe(
      blankPaths("from 'a.csv' where x = 'c.csv'"),
    )
  })
})

it('a path is left alone where it is absolute', () => {
  expect(['a.csv', '/a.csv', 's3://b/a.csv'].map((path) => absolutePath(path, '/home'))).toEqual([
    '/home/a.csv',
    '/a.csv',
    's3://b/a.csv',
  ])
})
