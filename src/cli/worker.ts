import { Command } from 'commander'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { startGroupWorker } from '../jobs/day-run/group-queue.ts'
import { contextOf, printResult } from './context.ts'
import { redisUrlOf } from './redis-url.ts'
import { readSettings } from './settings.ts'

/** `loyalcast worker PROGRAM...`. */
export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'works at daily runs of large lakes that are spread over a Redis (REDIS_URL) until it is stopped; it needs the same program files, lake and versions as the run',
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
      const programs: Program[] = []
      for (const path of paths) programs.push(await context.readProgram(path))
      const stopped = new Promise<void>((stop) => {
        process.once('SIGINT', stop).once('SIGTERM', stop)
      })
      const threads = readSettings(process.env, ['THREADS']).THREADS ?? 1
      const say = (sentence: string) => process.stderr.write(`${sentence}\n`)
      const worker = startGroupWorker({ ...context, url, programs, threads, say })
      const names = programs.map(({ name }) => name)
      printResult(
        context,
        { programs: names },
        `Working at runs of ${names.join(', ')}. Stop it with Ctrl-C.`,
      )
      await stopped
      await worker.close()
    })
}
