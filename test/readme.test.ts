import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { predictionColumns } from '../src/domain/prediction.ts'
import { reservedKeys, schemaOfProgram } from '../src/domain/program-schema.ts'
import { tableShapes } from '../src/domain/tables.ts'
import { Database } from '../src/lake/database.ts'
import { lakeColumns } from '../src/lake/lake.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const dictionary = readFileSync(join(root, 'data/README.md'), 'utf8')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Text from a heading to the next one of its level. */
function section(text: string, heading: string): string {
  const level = heading.match(/^#+/)?.[0] ?? ''
  const start = text.indexOf(`\n${heading}\n`)
  expect(start, `${heading} is there`).toBeGreaterThan(-1)
  const rest = text.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}

/** Code blocks in order: language, file name where one stands beside it, text. */
function blocks(text: string): { language: string; file: string; code: string }[] {
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, file, code]) => ({
    language,
    file: file ?? '',
    code,
  }))
}

/** Everything in backticks, `\|` unescaped. */
function codeWords(text: string): Set<string> {
  return new Set([...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word.replaceAll('\\|', '|')))
}

describe('the first program of the README', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'loyalcast-readme-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const steps = blocks(section(readme, '## A first program from your own CSV'))
  const environment = { ...process.env, LOYALCAST_DATA: 'data', LOYALCAST_MODELS: 'models' }

  /** Runs a line as the README's reader would, from `folder` instead of the checkout. */
  function run(line: string): string {
    const binary = `"${process.execPath}" "${join(root, 'bin/loyalcast.mjs')}"`
    const command = line.replace('npm run --silent loyalcast --', binary)
    const settings = { ...environment, INIT_CWD: folder }
    const done = spawnSync('bash', ['-c', `${command} 2>&1`], { cwd: folder, env: settings })
    const output = done.stdout.toString()
    expect(done.status, `${line}\n${output}`).toBe(0)
    return output
  }

  it('runs as written and prints what stands there, but for the figures', { timeout: 600_000 }, () => {
    expect(manifest.scripts.loyalcast).toBe('node bin/loyalcast.mjs')
    let output: string[] = []
    for (const { language, file, code } of steps) {
      if (file) {
        mkdirSync(dirname(join(folder, file)), { recursive: true })
        writeFileSync(join(folder, file), code)
      } else if (language === 'sh') {
        output = code
          .trim()
          .split('\n')
          .flatMap((line) => run(line).split('\n'))
      } else {
        for (const line of code.trim().split('\n')) {
          const found = output.findIndex((printed) => isShown(line, printed))
          expect(found, `"${line}" follows in\n${output.join('\n')}`).toBeGreaterThan(-1)
          output = output.slice(found + 1)
        }
      }
    }
  })

  it('leaves a lake that reads as the data dictionary says', async () => {
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
    const [{ code }] = blocks(dictionary).filter(({ language }) => language === 'sql')
    const statements = code
      .replaceAll("'data/", `'${folder}/data/`)
      .split(/;\n/)
      .map((text) => text.trim())
    const select = statements.filter((text) => text !== '').pop() as string
    for (const statement of statements.filter((text) => text !== '' && text !== select))
      await database.run(statement)
    expect((await database.rows(select)).map(({ type }) => type)).toEqual(['cancel', 'purchase', 'ticket'])
    database.close()
  })

  it('leaves commit records whose fields the data dictionary explains', () => {
    const commits = join(folder, 'data/my-shop/commits')
    const explained = codeWords(section(dictionary, '## A commit record'))
    for (const name of readdirSync(commits)) {
      const record = JSON.parse(readFileSync(join(commits, name), 'utf8'))
      const parts = [record, ...record.add, ...record.sources, ...record.predictions]
      for (const key of parts.flatMap((part) => Object.keys(part))) expect(explained, key).toContain(key)
    }
  })
})

/** A shortened line ends with …; figures may differ. */
function isShown(line: string, printed: string): boolean {
  const masked = (text: string) => text.trim().replaceAll(/\d+(\.\d+)?/g, '#')
  return line.endsWith('…')
    ? masked(printed).startsWith(masked(line.slice(0, -1)))
    : masked(printed) === masked(line)
}

describe('the tables of the README', () => {
  it('name every command and no other', () => {
    const help = spawnSync(process.execPath, [join(root, 'bin/loyalcast.mjs'), '--help']).stdout.toString()
    const real = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}(\w[\w-]*)/gm)].map(
      ([, name]) => name,
    )
    const named = [...section(readme, '## Commands').matchAll(/^\| `loyalcast ([\w-]+)/gm)].map(
      ([, name]) => name,
    )
    expect(named.sort()).toEqual(real.filter((name) => name !== 'help').sort())
  })
  it('name every column of a prediction', () => {
    const words = codeWords(section(readme, '## What a prediction holds'))
    const program = { horizonsDays: [30], outcomes: [{ name: 'churn' }] } as never
    for (const { name } of predictionColumns(program)) {
      expect(words, name).toContain(name.replace('churn', '<outcome>').replace('_30', '_<horizon>'))
    }
  })
  it('name every key of the program file', () => {
    const words = [...codeWords(section(readme, '## The program file'))].map((word) => word.split(':')[0])
    for (const key of [...keysOf(schemaOfProgram()), ...reservedKeys]) expect(words, key).toContain(key)
    for (const { required, optional } of Object.values(tableShapes)) {
      for (const column of [...required, ...optional]) expect(words, column).toContain(column)
    }
  })
  it('give a reason for every dependency', () => {
    const words = codeWords(section(readme, '## Dependencies'))
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const installed = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
    expect([...words].filter((word) => /^[@a-z/-]+$/.test(word)).sort()).toEqual(installed.sort())
  })
  it('name every room of the code', () => {
    const rooms = section(readme, '## Rooms of the code')
    for (const room of readdirSync(join(root, 'src'))) expect(rooms).toContain(`src/${room}/`)
  })
  it('link to files that are there', () => {
    for (const [, target] of readme.matchAll(/\]\(([^)#]+)\)/g))
      expect(() => readFileSync(join(root, target)), target).not.toThrow()
  })
})

/** Keys of the maps in a JSON Schema; names that a user chooses are none. */
function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { properties } = schema as { properties?: Record<string, unknown> }
  return [...Object.keys(properties ?? {}), ...Object.values(schema).flatMap(keysOf)].filter(
    (key, index, all) => all.indexOf(key) === index,
  )
}

describe('the data dictionary', () => {
  it('names every column of every table with its type', () => {
    for (const [table, columns] of Object.entries(lakeColumns)) {
      const text = section(dictionary, `### ${table}`)
      for (const [name, type] of columns) expect(text).toContain(`| \`${name}\` | ${type} |`)
    }
  })
})
