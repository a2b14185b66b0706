/*
 * A worker as `loyalcast worker` starts one, but missed after two seconds, so that tests need not wait for long.
 *
 * DIES_AT   the process ends at once where its database is asked for a file with that in its path
 * HALTS_AT  it says so and halts, once, where its database is asked for what matches that pattern, until it is told to
 *           go on (SIGCONT); such a worker is not missed meanwhile
 */
import { DuckDBConnection } from '@duckdb/node-api'
import { startGroupWorker } from '../../dist/src/jobs/day-run/group-queue.js'
import { readProgram } from '../../dist/src/lake/program-file.js'

const { DIES_AT: diesAt, HALTS_AT: haltsAt, REDIS_URL: url } = process.env
const [path, dataFolder, modelsFolder] = process.argv.slice(2)
const run = DuckDBConnection.prototype.run
let hasHalted = false
DuckDBConnection.prototype.run = function (sql, ...more) {
  if (diesAt && sql.includes(diesAt)) process.kill(process.pid, 'SIGKILL')
  if (haltsAt && !hasHalted && new RegExp(haltsAt).test(sql)) {
    hasHalted = true
    say('Halted.')
    process.kill(process.pid, 'SIGSTOP')
  }
  return run.call(this, sql, ...more)
}

const say = (sentence) => process.stderr.write(`${sentence}\n`)
const programs = [await readProgram(path, process.env)]
const folders = { dataFolder, modelsFolder }
const missedAfterMs = haltsAt ? 120_000 : 2000
const worker = startGroupWorker({ url, programs, ...folders, threads: 1, missedAfterMs, say })
process.once('SIGTERM', () => worker.close())
say('Working.')
