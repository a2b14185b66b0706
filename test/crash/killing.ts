import { readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { type Finished, loyalcast } from '../cli/commands.ts'
import { clock, type SmallProgram } from './small-program.ts'

/** A moment of a command at which it can be killed. */
export interface KillPoint {
  /** What was about to be done, and to what. */
  readonly name: string
  /** For {@link runKilled}. */
  readonly at: string
}

/** Runs a command on a small program's folders in a process of its own. */
export function runCommand(
  made: SmallProgram,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const [command, ...more] = args
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  return loyalcast([command, made.path, ...more, ...folders], {
    environment: { LOYALCAST_NOW: clock, ...environment },
  })
}

/** The same, killed at a moment: it ends without a word and without an exit code. */
export async function runKilled(
  made: SmallProgram,
  args: readonly string[],
  point: KillPoint,
): Promise<void> {
  const killed = await runCommand(made, args, watched(made, { KILL_AT: point.at }))
  expect(killed.code, `${point.name}\n${killed.stderr}`).toBeNull()
}

/** Kill points of a command that are tried, unless LOYALCAST_KILL_POINTS says how many: each takes two runs. */
const mostPoints = Number(process.env.LOYALCAST_KILL_POINTS ?? 14)

/**
 * Runs a command undisturbed and returns moments at which it can be killed: before the first operation of each kind,
 * and in the middle of those that write. Of many it takes some of each part of the run.
 */
export async function findKillPoints(
  made: SmallProgram,
  args: readonly string[],
): Promise<{ points: KillPoint[]; finished: Finished }> {
  const log = join(dirname(made.folder), 'operations.log')
  await rm(log, { force: true })
  const finished = await runCommand(made, args, watched(made, { KILL_LOG: log }))
  const operations = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n')
  const kinds = operations.map((name) => name.replaceAll(/\d+/g, '#').replace(/\.loyalcast-\w+/, ''))
  const points = operations.flatMap((name, place): KillPoint[] => {
    if (kinds.indexOf(kinds[place]) !== place) return []
    const isWriting = /^(write|copy) /.test(name)
    return [
      { name: `before ${place}: ${name}`, at: `${place}` },
      ...(isWriting ? [{ name: `within ${place}: ${name}`, at: `${place}half` }] : []),
    ]
  })
  return { points: spread(points), finished }
}

/** At most so many, from all over; those around what makes the work count, a link, a rename or a line more, in any case. */
function spread(points: readonly KillPoint[]): KillPoint[] {
  const isDecisive = ({ name }: KillPoint) =>
    /: (link|rm .*\.tmp|(open-a|write) .*ndjson|rename models)/.test(name)
  const decisive = points.filter(isDecisive)
  const others = points.filter((point) => !isDecisive(point))
  const step = Math.max(1, others.length / Math.max(1, mostPoints - decisive.length))
  const chosen = new Set(
    others.filter((_, place) => Math.floor(place / step) !== Math.floor((place - 1) / step)),
  )
  return points.filter((point) => isDecisive(point) || chosen.has(point))
}

function watched(made: SmallProgram, more: Readonly<Record<string, string>>): Record<string, string> {
  return {
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'kill-at.mjs')}`,
    KILL_BELOW: `${dirname(made.folder)}/`,
    ...more,
  }
}
