import { Command } from 'commander'
import { usageError } from '../domain/errors.ts'
import { startGroupWorker } from '../jobs/day-run/group-queue.ts'
import { startRunWorker } from '../jobs/runs/run-worker.ts'
import { contextOf, printResult } from './context.ts'
import { readPrograms } from './program-files.ts'
import { redisUrlOf } from './redis-url.ts'
import { runCommandOf } from './run-command.ts'
import { readSettings } from './settings.ts'

/** `loyalcast worker PROGRAM...`. */
export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'takes daily runs and trainings from a Redis (REDIS_URL), works at the buckets of large ones, and begins what schedules want, until it is stopped; it needs the same program files, lake and versions as the others',
    )
    .argument('<programs...>', 'paths of program files')
    .action(async (paths: string[], _: unknown, command: Command) => {
      const context = contextOf(command)
      const url = redisUrlOf(process.env)
      if (url === null)
        throw usageError(
          'redis',
          'REDIS_URL is not set. Set it to the Redis that the daily run uses, for example redis://localhost:6379.',
        )
      const { programs, programFiles } = await readPrograms(context, paths)
      const stopped = new Promise<void>((stop) => {
        process.once('SIGINT', stop).once('SIGTERM', stop)
      })
      const threads = readSettings(process.env, ['THREADS']).THREADS ?? 1
      const say = (sentence: string) => process.stderr.write(`${sentence}\n`)
      const onError = (error: unknown) => say(error instanceof Error ? error.message : String(error))
      const shared = { ...context, url, programs, say, onError }
      const groups = startGroupWorker({ ...shared, threads })
      const runs = startRunWorker({ ...shared, command: runCommandOf(context, programFiles) })
      const names = programs.map(({ name }) => name)
      printResult(
        context,
        { programs: names },
        `Working at runs of ${names.join(', ')}. Stop it with Ctrl-C.`,
      )
      await stopped
      await Promise.all([runs.close(), groups.close()])
    })
}
