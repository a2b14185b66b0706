import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Before any test: threads, browsers and other projects load JavaScript alone, which is to be that of the sources. */
export default function setup(): void {
  const build = join(import.meta.dirname, '../bin/build.mjs')
  execFileSync(process.execPath, [build, '--if-needed'], { stdio: 'inherit' })
}
