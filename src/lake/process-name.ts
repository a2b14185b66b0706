import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/**
 * A process told apart from all others, also from those of other machines and containers, and from a later one that
 * was given its number. Where the system does not say when a process started, its number must do.
 */
export async function processName(pid = process.pid): Promise<string> {
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return [pid, started, hostname(), space].join(' ')
}

/**
 * Whether the process of that name still runs. `unknown`: it ran on another machine, or its number may have been given
 * to another process since.
 */
export async function fateOf(name: string): Promise<'runs' | 'gone' | 'unknown'> {
  const [pid, started, ...place] = name.split(' ')
  const [, , ...ownPlace] = (await processName()).split(' ')
  if (!/^\d+$/.test(pid) || place.join(' ') !== ownPlace.join(' ')) return 'unknown'
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone'
  }
  if (!started) return 'unknown'
  return (await processName(Number(pid))) === name ? 'runs' : 'gone'
}
