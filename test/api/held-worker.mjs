import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Answers questions as src/jobs/question-worker does, but holds its thread until there is a file `released` in the
 * data folder, so that a test sees what the server does meanwhile. The name of the scenario says what becomes of it.
 */
export function answer({ settings, question, port }) {
  const { name } = question.scenario
  port.postMessage({ done: 1, total: 4 })
  writeFileSync(join(settings.dataFolder, `started ${name}`), '')
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(join(settings.dataFolder, 'released'))) Atomics.wait(never, 0, 0, 5)
  port.close()
  if (name === 'broken') throw new Error('nobody expected this')
  if (name === 'wrong')
    return {
      isDone: false,
      kind: 'usage',
      code: 'scenario',
      message: 'The scenario cannot be used:\n- changes[0].events: found "x".',
    }
  const record = { date: '2026-10-01', modelVersion: '2026-10-01-1', isFull: true, headlines: [] }
  return { isDone: true, value: { json: JSON.stringify({ name }), record } }
}

export function check({ port }) {
  port.close()
  return { isDone: true, value: null }
}

export function close() {}
