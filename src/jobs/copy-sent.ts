import { constants } from 'node:fs'
import { copyFile, cp, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { copyInbox } from '../control/inbox.ts'
import type { Program } from '../domain/program.ts'
import { type Lake, lakeFolder, openLake } from '../lake/lake.ts'
import { isSent } from '../lake/readings.ts'

/**
 * Copies what was sent through the API to another data folder, ingested or not, without what sources hold: an
 * {@link ingest} there that rebuilds has it all.
 *
 * @param from the data folder; nothing is changed in it
 * @returns whether something has been sent at all
 */
export async function copySent(program: Program, from: string, to: string): Promise<boolean> {
  const sent = ({ state }: Lake) => [...state.sources.values()].filter(isSent)
  const isIngested = sent(await openLake(from, program)).length > 0
  if (isIngested) {
    const [own, other] = [lakeFolder(from, program), lakeFolder(to, program)]
    await cp(join(own, 'commits'), join(other, 'commits'), { recursive: true })
    // What the copy names, whatever is committed meanwhile.
    const copy = await openLake(to, program)
    const readings = sent(copy)
    const keys = readings.map(({ key }) => key)
    const rows = copy.state.files.filter(({ source }) => keys.includes(source)).map(({ path }) => path)
    for (const path of [...rows, ...readings.flatMap(({ quarantine }) => quarantine)]) {
      await mkdir(dirname(join(other, path)), { recursive: true })
      await copyFile(join(own, path), join(other, path), constants.COPYFILE_FICLONE)
    }
  }
  return (await copyInbox(program, from, to)) || isIngested
}
