import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readProgram } from '../../src/lake/program-file.ts'
import { sample } from '../domain/program-texts.ts'

describe('a program file on disk', () => {
  const folder = () => mkdtemp(join(tmpdir(), 'program-'))

  it('is read with its folder, also by the name of the folder', async () => {
    const home = await folder()
    await writeFile(join(home, 'program.yaml'), sample)
    expect(await readProgram(join(home, 'program.yaml'), {})).toMatchObject({
      name: 'online-retail',
      folder: home,
    })
    expect(await readProgram(home, {})).toEqual(await readProgram(join(home, 'program.yaml'), {}))
  })

  it('that is missing is refused with those that are there', async () => {
    const home = await folder()
    await expect(readProgram(join(home, 'a.yaml'), {})).rejects.toMatchObject({
      kind: 'usage',
      code: 'program-unreadable',
      message: `${home}/a.yaml: no such file. Give the path of a program file (YAML).`,
    })
    await writeFile(join(home, 'shop.yaml'), sample)
    await expect(readProgram(join(home, 'a.yaml'), {})).rejects.toThrow(
      `no such file. There: ${home}/shop.yaml.`,
    )
    await expect(readProgram(home, {})).rejects.toThrow(
      `${home}: a folder without program.yaml. There: ${home}/shop.yaml.`,
    )
    await expect(readProgram(join(home, 'shop.yaml', 'x'), {})).rejects.toThrow('no such file')
  })

  it('that is not UTF-8 is refused', async () => {
    const path = join(await folder(), 'program.yaml')
    await writeFile(path, Buffer.from([0x70, 0xe9, 0x0a]))
    await expect(readProgram(path, {})).rejects.toThrow(`${path} is not UTF-8 text. Save it as UTF-8.`)
  })
})
