import { Command } from 'commander'
import { contextOf, printResult } from './context.ts'
import { readPrograms } from './program-files.ts'
import { checkedPort, requireSomeKey, serverSettings, serveUntilStopped } from './serving.ts'

interface Options {
  readonly host: string
  readonly port: string
}

/** `loyalcast serve PROGRAM... [--host ADDRESS] [--port N]`. */
export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'serves the API and a summary page until it is stopped; LOYALCAST_API_KEY is a key for everything, loyalcast keys makes others',
    )
    .argument('<programs...>', 'paths of program files')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all of this machine', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes any that is free', '3000')
    .action(async (paths: string[], { host, port }: Options, command: Command) => {
      const context = contextOf(command)
      const settings = serverSettings()
      await requireSomeKey(context, settings.key)
      const { programs, programFiles } = await readPrograms(context, paths)
      const names = programs.map(({ name }) => name)
      const serving = {
        programs,
        programFiles,
        host,
        port: checkedPort(port),
        ...settings,
        log: process.stderr,
      }
      await serveUntilStopped(context, serving, ({ url }) => {
        const words = `Serving ${names.join(', ')} at ${url} (API: ${url}/docs). Stop it with Ctrl-C.`
        printResult(context, { url, programs: names }, words)
      })
    })
}
