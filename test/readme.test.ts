import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { settings } from '../src/cli/settings.ts'
import { roles, scopes } from '../src/domain/access.ts'
import { predictionColumns } from '../src/domain/prediction.ts'
import { reservedKeys, schemaOfProgram } from '../src/domain/program-schema.ts'
import { tableShapes } from '../src/domain/tables.ts'
import { eventTypes } from '../src/engage/event-catalogue.ts'
import { lakeColumns } from '../src/lake/lake.ts'
import { codeWords, dictionary, readme, root, section } from './readme-parts.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

describe('the tables of the README', () => {
  it('name every command and no other', () => {
    const help = spawnSync(process.execPath, [join(root, 'bin/loyalcast.mjs'), '--help']).stdout.toString()
    const real = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}(\w[\w-]*)/gm)].map(
      ([, name]) => name,
    )
    const named = [...section(readme, '## Commands').matchAll(/^\| `loyalcast ([\w-]+)/gm)].map(
      ([, name]) => name,
    )
    expect([...new Set(named)].sort()).toEqual(real.filter((name) => name !== 'help').sort())
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
    expect([...words].filter((word) => /^[@a-z./-]+$/.test(word)).sort()).toEqual(installed.sort())
  })
  it('name every setting', () => {
    const words = codeWords(readme)
    for (const name of Object.keys(settings))
      expect(
        [...words].filter((word) => word.split('=')[0] === `LOYALCAST_${name}`),
        name,
      ).not.toEqual([])
  })
  it('name every role with what it may do', () => {
    const table = section(readme, '### Keys')
    const [head, ...rows] = [...table.matchAll(/^\|(.*)\|$/gm)].map(([, row]) =>
      row.split('|').map((cell) => cell.trim()),
    )
    const named = head.slice(1).map((cell) => cell.replaceAll('`', ''))
    expect(named).toEqual(Object.keys(scopes))
    const may = rows.flatMap(([cell, ...cells]) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, role]) => [role, named.filter((_, at) => cells[at] === 'yes')]),
    )
    expect(Object.fromEntries(may)).toEqual(roles)
  })
  it('name every webhook event', () => {
    const named = [...section(readme, '### Webhooks').matchAll(/^\| `([\w.]+)`/gm)].map(([, name]) => name)
    expect(named).toEqual(eventTypes)
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
