import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout, or the folder of the installed package. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const dist = join(root, 'dist')
const sources = ['src', 'training', 'bench', 'tsconfig.json', 'tsconfig.build.json']

/** Goes along as it is: browsers and the server read it. */
const taken = ['src/web', 'src/api/examples.json']

/** Compiles the checkout if a source is newer than the last build. An installed package has no sources. */
export function buildIfNeeded() {
  if (!existsSync(join(root, 'src'))) return
  if (existsSync(dist) && newestChange() <= statSync(dist).mtimeMs) return
  build()
}

/**
 * Compiles into a folder of its own, which then becomes `dist`: whoever starts meanwhile finds the old build or the
 * new one, and nothing stays of sources that are gone. What the compiler says goes to stderr.
 */
export function build() {
  const started = new Date()
  const fresh = join(root, `dist.${process.pid}.tmp`)
  const old = join(root, `dist.${process.pid}.old.tmp`)
  const require = createRequire(import.meta.url)
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  const built = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh],
    { cwd: root, stdio: ['ignore', 2, 2] },
  )
  if (built.status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    process.stderr.write('Loyalcast could not be built; see the errors above.\n')
    process.exit(1)
  }
  for (const path of taken) cpSync(join(root, path), join(fresh, path), { recursive: true })
  utimesSync(fresh, started, started)
  while (existsSync(fresh)) {
    rmSync(old, { recursive: true, force: true })
    renameUnless('ENOENT', dist, old)
    renameUnless('ENOTEMPTY', fresh, dist)
  }
  rmSync(old, { recursive: true, force: true })
}

/** Renames a folder; does nothing where that fails with `code`, because another build was quicker. */
function renameUnless(code, from, to) {
  try {
    renameSync(from, to)
  } catch (error) {
    if (error.code !== code) throw error
  }
}

/** When a source last changed, in milliseconds. A folder changes when a file in it goes. */
function newestChange() {
  let latest = 0
  for (const source of sources) {
    const path = join(root, source)
    if (!existsSync(path)) continue
    latest = Math.max(latest, statSync(path).mtimeMs)
    if (!statSync(path).isDirectory()) continue
    for (const name of readdirSync(path, { recursive: true })) {
      latest = Math.max(latest, statSync(join(path, name)).mtimeMs)
    }
  }
  return latest
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--if-needed')) buildIfNeeded()
  else build()
}
