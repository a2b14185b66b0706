import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocks, readme, root, section } from '../readme-parts.ts'

const compiler = join(root, 'node_modules/typescript/bin/tsc')
const settings = { module: 'nodenext', strict: true, noEmit: true, target: 'es2023', types: [] }

/** A project that has this one among its packages. */
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'loyalcast-consumer-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/loyalcast'))
  const options = { ...settings, lib: ['es2023', 'dom', 'dom.asynciterable'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
})
afterAll(() => rmSync(folder, { recursive: true }))

function compile(text: string): string {
  writeFileSync(join(folder, 'consumer.ts'), text)
  return spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' }).stdout
}

it('is used as the README shows, and knows what every answer holds', () => {
  const [{ code, language }] = blocks(section(readme, '### From TypeScript'))
  expect(language).toBe('ts')
  const free = 'declare const key: string; declare function load(batch: unknown): Promise<void>\n'
  expect(compile(`${free}${code}`)).toBe('')
  const wrong = `${free}${code}\nexport const text: string = summary.customers\nsummary.constructed`
  expect(compile(wrong)).toMatch(/TS2322.*\n.*TS2339.*'constructed'/)
})

it('is loaded from the package', () => {
  const script = "console.log(Object.keys(await import('loyalcast/client')).sort().join(' '))"
  const loaded = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(loaded.stdout.trim(), loaded.stderr).toBe(
    'ApiProblem NoAnswer createClient pages predictionRows result',
  )
})
