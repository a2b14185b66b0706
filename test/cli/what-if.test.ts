import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { expectWords, header, programOf, rows } from '../bad-input/refusals.ts'
import { loyalcastHere } from './commands.ts'

/** Asks for a report in a place below the program's folder; no version is trained, so that nothing can be answered. */
async function askWith(out: string) {
  const made = await programOf('e.csv', header + rows)
  const scenario = join(made.folder, 'scenario.json')
  await writeFile(scenario, '{ "changes": [] }')
  await mkdir(join(made.folder, 'a-folder'))
  await writeFile(join(made.folder, 'older.html'), 'an older one')
  const before = await readdir(made.folder)
  const place = ['--data', made.dataFolder, '--models', made.modelsFolder]
  const done = await loyalcastHere([
    'what-if',
    made.path,
    scenario,
    ...place,
    '--out',
    join(made.folder, out),
  ])
  expect(await readdir(made.folder)).toEqual(before)
  expect(await readFile(join(made.folder, 'older.html'), 'utf8')).toBe('an older one')
  return done
}

it.each([
  ['a-folder', /a-folder cannot be written: it is a folder\. Name a file in it\./],
  ['nowhere/report.html', /there is no folder .*nowhere\. Make it first\./],
])('a report cannot be written to %s, which is said before anything is asked', async (out, words) => {
  const { code, stderr } = await askWith(out)
  expect(code).toBe(1)
  expect(stderr).toMatch(words)
})

it('a question without an answer leaves an older report as it is', async () => {
  expectWords(await askWith('older.html'), /has no model yet/)
})
