import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judgeHonest, judgeLeaks, judgeSkill } from './guards-claims.ts'
import { type Search, searchPlanted } from './guards-leaks.ts'
import { plants } from './guards-plants.ts'
import { makeSignalless } from './guards-signalless.ts'
import { type Trained, trainCompany } from './guards-skill.ts'

/**
 * `npm run bench:guards [-- --companies N --seeds N --first-seed N --max-rows N]`: trains companies without any signal
 * and counts the tasks that claim skill; plants leaks, and honest features that tell much, in companies with causes and
 * counts which are named. Exit code 1 where a claim does not hold.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      companies: { type: 'string', default: '50' },
      seeds: { type: 'string', default: '3' },
      'first-seed': { type: 'string', default: '1' },
      'max-rows': { type: 'string', default: '1500' },
    },
  })
  const first = Number(values['first-seed'])
  const maxRows = Number(values['max-rows'])
  const searches: Search[] = []
  for (const plant of plants) {
    const own: Search[] = []
    for (let seed = first; seed < first + Number(values.seeds); seed++)
      own.push(await inFolder((folder) => searchPlanted(plant, { folder, now, seed })))
    if (own.length > 0) print(describePlant(own))
    searches.push(...own)
  }
  const trained: Trained[] = []
  for (let seed = first; seed < first + Number(values.companies); seed++) {
    const company = makeSignalless(seed)
    const one = await inFolder((folder) => trainCompany(company, { folder, now, seed, maxRows }))
    print(`company ${seed}: ${company.words}, split ${one.split}: ${describeTasks(one)}`)
    trained.push(one)
  }
  const claims = [
    ...(trained.length > 0 ? [judgeSkill(trained)] : []),
    ...(searches.length > 0 ? [judgeLeaks(searches), judgeHonest(searches, trained)] : []),
  ]
  for (const { isHeld, words } of claims) print(`${isHeld ? 'held' : 'NOT HELD'}: ${words}`)
  if (claims.some(({ isHeld }) => !isHeld)) process.exitCode = 1
}

/** A fixed clock, so that figures repeat whenever the measurement is made. */
const now = '2026-01-01T00:00:00Z'

/** A company lives in a folder of its own, which is removed afterwards. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-guards-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function describePlant(searches: readonly Search[]): string {
  const { isLeak, isUnclear, kind, words } = searches[0].plant
  const count = (is: (search: Search) => boolean) => searches.filter(is).length
  const named = `named ${count(({ isNamed }) => isNamed)} of ${searches.length}`
  const shutOut = count(({ isShutOut }) => isShutOut)
  const others = searches.flatMap(({ alsoNamed }) => alsoNamed)
  return [
    `${isUnclear ? 'unclear ' : ''}${isLeak ? 'leak' : 'honest'}: ${kind}, ${words}: ${named}`,
    ...(shutOut > 0 ? [`shut out ${shutOut}`] : []),
    ...(others.length > 0 ? [`also named ${others.join(', ')}`] : []),
  ].join('; ')
}

function describeTasks({ claims, leaks, skipped }: Trained): string {
  const tasks = claims.map(
    ({ task, hasSkill, words }) => `${task} ${hasSkill ? 'CLAIMS SKILL' : 'no skill'}, gain ${words}`,
  )
  return [
    ...tasks,
    ...(skipped.length > 0 ? [`skipped ${skipped.join(', ')}`] : []),
    ...(leaks.length > 0 ? [`named as leaks ${leaks.join(', ')}`] : []),
  ].join('; ')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
