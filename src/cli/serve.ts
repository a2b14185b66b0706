import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { startServer } from '../api/server.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { contextOf, printResult } from './context.ts'

interface Options {
  readonly host: string
  readonly port: string
}

/** `loyalcast serve PROGRAM... [--host ADDRESS] [--port N]`. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serves the API and a summary page until it is stopped; LOYALCAST_API_KEY is the key')
    .argument('<programs...>', 'paths of program files')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all of this machine', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes any that is free', '3000')
    .action(async (paths: string[], { host, port }: Options, command: Command) => {
      const context = contextOf(command)
      const key = checkedKey(process.env.LOYALCAST_API_KEY)
      const programs: Program[] = []
      for (const path of paths) programs.push(await context.readProgram(path))
      refuseNamesakes(programs)
      const stopped = signalToStop()
      const server = await startServer({
        ...context,
        ...{ programs, host, port: checkedPort(port), key },
        log: process.stderr,
        makeRequestId: randomUUID,
      })
      const names = programs.map(({ name }) => name)
      const words = `Serving ${names.join(', ')} at ${server.url} (API: ${server.url}/docs). Stop it with Ctrl-C.`
      printResult(context, { url: server.url, programs: names }, words)
      await stopped
      await server.close()
    })
}

/** Fewest characters of a key. */
const shortestKey = 16

function checkedKey(key: string | undefined): string {
  const remedy =
    'Set it to a secret of at least 16 printable characters without spaces, which clients send as "Authorization: Bearer …"; openssl rand -hex 24 makes one.'
  if (key === undefined || key === '') throw usageError('key', `LOYALCAST_API_KEY is not set. ${remedy}`)
  if (key.length < shortestKey || !/^[\x21-\x7e]+$/.test(key))
    throw usageError('key', `LOYALCAST_API_KEY is too short or holds what no header can. ${remedy}`)
  return key
}

function checkedPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65535) return port
  throw usageError('port', `--port is ${text}; it is a whole number from 0 to 65535.`)
}

/** Programs are addressed by name. */
function refuseNamesakes(programs: readonly Program[]): void {
  const names = programs.map(({ name }) => name)
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined)
    throw usageError('program', `Two of the programs are called ${twice}; each needs a name of its own.`)
}

/** Resolves when somebody wants the process to end. */
function signalToStop(): Promise<void> {
  return new Promise((stop) => {
    process.once('SIGINT', stop).once('SIGTERM', stop)
  })
}
