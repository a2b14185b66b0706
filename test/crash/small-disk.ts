import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finished } from '../cli/commands.ts'
import { clock, type SmallProgram } from './small-program.ts'

const binary = join(import.meta.dirname, '..', '..', 'bin', 'loyalcast.mjs')

/** A disk of a few megabytes that only those see who are let in. */
export interface SmallDisk {
  readonly folder: string
  /** What a command line begins with to see the disk. */
  readonly prefix: readonly string[]
  /** Where those see it who were not let in. */
  readonly seenAs: string
  /** Writes until no more fits than so many kilobytes. @default 0 */
  fill(left?: number): void
  /** Makes room again. */
  free(): void
  setReadOnly(isReadOnly: boolean): void
  /** Makes a link, or removes it where it points nowhere. */
  link(path: string, target: string | null): void
  remove(): Promise<void>
}

/**
 * Mounts a disk in a namespace of its own: it is gone when its holder is, whatever happens to the tests. A sentence where
 * this machine does not allow that.
 */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk | string> {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-disk-'))
  const isRoot = process.getuid?.() === 0
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "${folder}" && echo ready && cat`
  const holder = spawn('unshare', [isRoot ? '-m' : '-rm', 'sh', '-c', script])
  const said = await new Promise<string>((resolve) => {
    holder.on('error', (error) => resolve(error.message))
    holder.stderr.on('data', (text) => resolve(String(text)))
    holder.stdout.on('data', (text) => resolve(String(text)))
  })
  if (said.trim() !== 'ready') {
    await rm(folder, { recursive: true, force: true })
    return `No small disk can be mounted here: ${said.trim()}`
  }
  const own = isRoot ? [] : ['--user', '--preserve-credentials']
  const prefix = ['nsenter', '--target', String(holder.pid), '--mount', ...own, '--']
  const shell = (command: string) => spawnSync(prefix[0], [...prefix.slice(1), 'sh', '-c', command])
  return {
    folder,
    prefix,
    seenAs: `/proc/${holder.pid}/root${folder}`,
    fill: (left = 0) =>
      shell(`cat /dev/zero > "${folder}/filler"; truncate --size=-${left}K "${folder}/filler"`),
    free: () => shell(`rm "${folder}/filler"`),
    setReadOnly: (isReadOnly) => shell(`mount -o remount,${isReadOnly ? 'ro' : 'rw'} "${folder}"`),
    link: (path, target) => shell(target === null ? `rm "${path}"` : `ln -s "${target}" "${path}"`),
    async remove() {
      const gone = new Promise((resolve) => holder.on('close', resolve))
      holder.stdin.end()
      await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Begins a command line whose process may write no file larger than that. */
export function withFileLimit(kilobytes: number): string[] {
  return ['bash', '-c', `ulimit -f ${kilobytes}; exec "$@"`, 'bash']
}

/** Runs `loyalcast` on a small program behind a prefix, and hears what it says meanwhile. */
export function runBehind(
  prefix: readonly string[],
  { onStderr = () => {}, ...made }: SmallProgram & { readonly onStderr?: (text: string) => void },
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const [command, ...more] = args
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  const whole = [...prefix, process.execPath, binary, command, made.path, ...more, ...folders]
  const child = spawn(whole[0], whole.slice(1), {
    env: { ...process.env, LOYALCAST_NOW: clock, ...environment },
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  child.stderr.on('data', onStderr)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}
