import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { Argument, Command } from 'commander'
import { startServer } from '../api/server.ts'
import { schemaOfProgram } from '../domain/program-schema.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { contextOf } from './context.ts'
import { webhookSettings } from './webhook-settings.ts'

const schemas = {
  program: async () => schemaOfProgram(),
  api: (command: Command) => readApiDocument(command),
} as const

/** `loyalcast schema [program|api]`: the JSON Schema of program files, for editors, or the OpenAPI document. */
export function schemaCommand(): Command {
  const what = new Argument('[what]', 'program files, or the API').choices(Object.keys(schemas))
  return new Command('schema')
    .description('prints the JSON Schema of program files, or the OpenAPI document')
    .addArgument(what.default('program'))
    .action(async (name: keyof typeof schemas, _, command: Command) => {
      process.stdout.write(`${JSON.stringify(await schemas[name](command), null, 2)}\n`)
    })
}

/** What a server says at `/openapi.json`, from one that serves no program and keeps nothing. */
function readApiDocument(command: Command): Promise<unknown> {
  const context = contextOf(command)
  return withScratchFolder(tmpdir(), async (folder) => {
    const nothing = { programs: [], dataFolder: folder, modelsFolder: folder, key: null, log: null }
    const server = await startServer({
      ...{ ...context, ...nothing, makeRequestId: randomUUID },
      runCommand: { words: [], options: [], programFiles: new Map() },
      ...{ host: '127.0.0.1', port: 0, webhooks: webhookSettings({}, context.stopwatch) },
    })
    try {
      return await (await fetch(`${server.url}/openapi.json`)).json()
    } finally {
      await server.close()
    }
  })
}
