/*
 * Preloaded with `node --import`: counts what a process does to the files below a folder, and kills it at one of these
 * operations, so that a test can kill it at each of them and none depends on luck.
 *
 * KILL_BELOW   the folder
 * KILL_LOG     a file that gets a line an operation
 * KILL_AT      number of an operation, from 0: the process dies before it. With `half` behind the number a write or a
 *              copy by DuckDB is begun and left half done. Without it nothing is killed
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { DuckDBConnection } from '@duckdb/node-api'

const { KILL_BELOW: below, KILL_LOG: log, KILL_AT: at = '' } = process.env
const [, killAt, isHalf] = /^(\d+)(half)?$/.exec(at) ?? [null, Number.NaN, undefined]
const { appendFileSync } = fs
const { write } = await fileHandleMethods()
let count = 0

/** Counts an operation; dies at the one that was asked for, unless `begin` does half of it first. */
async function pass(name, path, begin) {
  if (!String(path).includes(below)) return
  if (log) appendFileSync(log, `${name} ${String(path).replaceAll(below, '')}\n`)
  if (count++ !== Number(killAt)) return
  if (isHalf && begin) await begin()
  process.kill(process.pid, 'SIGKILL')
}

const promises = fs.promises
const placed = ['mkdir', 'mkdtemp', 'rm', 'rmdir', 'unlink', 'rename', 'link', 'symlink', 'writeFile']
for (const name of placed) {
  const original = promises[name]
  promises[name] = async (...given) => {
    const path = name === 'rename' || name === 'link' || name === 'symlink' ? given[1] : given[0]
    await pass(name, path)
    return original.apply(promises, given)
  }
}

const open = promises.open
promises.open = async (path, flags = 'r', ...more) => {
  if (flags !== 'r') await pass(`open-${flags}`, path)
  return Object.assign(await open.call(promises, path, flags, ...more), { openedPath: path })
}
syncBuiltinESMExports()

async function fileHandleMethods() {
  const handle = await fs.promises.open(process.execPath)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  const original = { write: prototype.write, writeFile: prototype.writeFile, sync: prototype.sync }
  prototype.writeFile = async function (content, ...more) {
    const bytes = Buffer.from(content)
    await pass('write', this.openedPath, () => write.call(this, bytes.subarray(0, bytes.length >> 1)))
    return original.writeFile.call(this, content, ...more)
  }
  prototype.sync = async function () {
    await pass('sync', this.openedPath)
    return original.sync.call(this)
  }
  return original
}

const run = DuckDBConnection.prototype.run
DuckDBConnection.prototype.run = async function (sql, ...more) {
  const target = /^\s*copy\b[\s\S]*\bto '([^']+)' \(format/.exec(sql)?.[1]
  if (target) await pass('copy', target, () => beginCopy(() => run.call(this, sql, ...more), target))
  return run.call(this, sql, ...more)
}

/** Lets DuckDB write until there is something of the file, or the copy is done, whichever comes first. */
async function beginCopy(copy, target) {
  let isDone = false
  const done = copy().finally(() => {
    isDone = true
  })
  while (!isDone && !fs.existsSync(target)) await new Promise((resolve) => setImmediate(resolve))
  void done
}
