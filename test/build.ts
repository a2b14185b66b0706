import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

/**
 * Before any test: threads, browsers and other projects load JavaScript alone, which is to be that of the sources.
 * What test files make for each other lies in a folder of the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const build = join(import.meta.dirname, '../bin/build.mjs')
  execFileSync(process.execPath, [build, '--if-needed'], { stdio: 'inherit' })
  const shared = await mkdtemp(join(tmpdir(), 'loyalcast-tests-'))
  project.provide('sharedFolder', shared)
  return () => rm(shared, { recursive: true, force: true })
}
