import { randomBytes } from 'node:crypto'
import { Command } from 'commander'
import { checkAddress } from '../api/server.ts'
import { usageError } from '../domain/errors.ts'
import { contextOf, printResult } from './context.ts'
import { makeDemo } from './demo-company.ts'
import { checkedPort, serverSettings, serveUntilStopped } from './serving.ts'

interface Options {
  readonly customers: string
  readonly days: string
  readonly maxRows: string
  readonly host: string
  readonly port: string
  readonly serve: boolean
}

/** `loyalcast demo [--customers N] [--days N] [--host ADDRESS] [--port N] [--no-serve]`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('simulates a company, trains, predicts its last 30 days and serves them; done work is kept')
    .option('--customers <n>', 'customers who ever join', '5000')
    .option('--days <n>', 'days of history', '548')
    .option('--max-rows <n>', 'most rows of the training table', '10000')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all of this machine', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes any that is free', '3000')
    .option('--no-serve', 'end when the predictions are there')
    .action(async (options: Options, command: Command) => {
      const context = contextOf(command)
      const { host } = options
      const port = checkedPort(options.port)
      const settings = serverSettings()
      // One from the environment stays the same from start to start.
      const key = settings.key ?? randomBytes(24).toString('base64url')
      if (options.serve) await checkAddress({ host, port })
      const sizes = {
        customers: wholeNumber('--customers', options.customers),
        days: wholeNumber('--days', options.days),
        maxRows: wholeNumber('--max-rows', options.maxRows),
      }
      const { program, ...made } = await makeDemo(context, sizes)
      if (!options.serve) {
        const words = `${program.name} is predicted for ${made.firstDate} to ${made.lastDate}: ${made.programFile}`
        printResult(context, made, words)
        return
      }
      const programFiles = new Map([[program.name, made.programFile]])
      const serving = { programs: [program], programFiles, host, port, ...settings, key, log: null }
      await serveUntilStopped(context, serving, ({ url }) =>
        printResult(context, { ...made, url, key }, welcome(url, key, program.name)),
      )
    })
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1) return value
  throw usageError('demo', `${name} is ${text}; it is a whole number from 1 on.`)
}

function welcome(url: string, key: string, program: string): string {
  return `
Loyalcast is running: forecasts of a simulated company, the last 30 days of it.

  Page  ${url}/#key=${key}
  API   ${url}/docs
  Key   ${key}
  Try   curl -H "Authorization: Bearer ${key}" ${url}/v1/programs/${program}/summary

Ctrl-C stops it. The next start takes up what is there and takes seconds.`
}
