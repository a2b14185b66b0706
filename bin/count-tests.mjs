import { readFileSync } from 'node:fs'

/*
 * Prints how many tests of a result file of the test runner (JSON reporter) passed, failed and were skipped, and
 * exits with 1 where one failed or none ran. A test file that could not be loaded counts as one that failed.
 */
const result = readResult(process.argv[2])
const broken = result.testResults.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
)
const passed = result.numPassedTests
const failed = Math.max(result.numFailedTests + broken.length, result.success ? 0 : 1)
const skipped = result.numPendingTests + result.numTodoTests
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

/** What the runner wrote; a failure where it wrote nothing. */
function readResult(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {
      numPassedTests: 0,
      numFailedTests: 1,
      numPendingTests: 0,
      numTodoTests: 0,
      success: false,
      testResults: [],
    }
  }
}
