import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Compiles the checkout if a source is newer than the last build. What the compiler says goes to stderr. */
export function buildIfNeeded() {
  const stamp = join(root, 'dist', 'src', 'cli', 'main.js')
  if (!existsSync(join(root, 'src'))) return
  if (existsSync(stamp) && newest(['src', 'training', 'bench']) <= statSync(join(root, 'dist')).mtimeMs)
    return
  const require = createRequire(import.meta.url)
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  const built = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stderr.write(built.stdout)
  if (built.status !== 0) {
    process.stderr.write('Loyalcast could not be built; see the errors above.\n')
    process.exit(1)
  }
  const now = new Date()
  utimesSync(join(root, 'dist'), now, now)
}

function newest(folders) {
  let latest = 0
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) latest = Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs)
    }
  }
  return latest
}
