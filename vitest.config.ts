import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that train or crash real programs for minutes: the later one starts, the longer a worker waits for it alone. */
const longest = [
  'test/examples.test.ts',
  'test/training/synthetic/recovery.test.ts',
  'test/crash/killed.test.ts',
  'test/jobs/daily.test.ts',
  'test/crash/together.test.ts',
  'test/cli/demo.test.ts',
  'test/bad-input/commands.test.ts',
]

/** A fresh checkout knows no durations, so that vitest would sort by size alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = longest.findIndex((name) => moduleId.endsWith(name))
      return found < 0 ? longest.length : found
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/build.ts',
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
})
