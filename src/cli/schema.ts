import { Command } from 'commander'
import { schemaOfProgram } from '../domain/program-schema.ts'

/** `loyalcast schema`: the JSON Schema of program files, for editors. */
export function schemaCommand(): Command {
  return new Command('schema').description('prints the JSON Schema of program files').action(() => {
    process.stdout.write(`${JSON.stringify(schemaOfProgram(), null, 2)}\n`)
  })
}
