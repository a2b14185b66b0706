import { Command, Option } from 'commander'
import { keyBody } from '../api/keys.ts'
import { type ApiKeyRecord, endOfKey } from '../control/api-keys.ts'
import { openServerControl, type ServerControl } from '../control/server-control.ts'
import { type Role, roles } from '../domain/access.ts'
import { endOfDay } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { type Context, contextOf, dayOption, printResult } from './context.ts'

/** More than anybody keeps. */
const mostListed = 10_000
const longestName = 100

interface Options {
  readonly name?: string
  readonly role?: Role
  readonly program: readonly string[]
  readonly expires?: string
}

const help = `
Roles:
${Object.entries(roles)
  .map(([role, scopes]) => `  ${role.padEnd(10)} ${scopes.join(', ')}`)
  .join('\n')}

Examples:
  loyalcast keys create --name "CRM pull" --role crm --program my-shop --expires 2027-06-30
  loyalcast keys
  loyalcast keys revoke 3k8w0p1m5x9q2z`

/** `loyalcast keys [list|create|revoke ID] [--name NAME] [--role ROLE] [--program NAME]... [--expires DAY]`. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('lists, makes and revokes keys of the API; a server that runs takes them up by itself')
    .argument('[action]', 'list, create or revoke', 'list')
    .argument('[id]', 'a key, for revoke')
    .option('--name <name>', 'for create: who or what will use it')
    .addOption(new Option('--role <role>', 'for create: what it may do').choices(Object.keys(roles)))
    .option('--program <name>', 'for create: what it is for; repeatable; without: all programs', collect, [])
    .option('--expires <day>', 'for create: the last day on which it works, in UTC; without: it always does')
    .addHelpText('after', help)
    .action(async (action: string, id: string | undefined, options: Options, command: Command) => {
      const context = contextOf(command)
      const act = actions[action]
      if (!act)
        throw usageError('action', `keys ${action}: the action is one of ${Object.keys(actions).join(', ')}.`)
      const control = await openServerControl(context.dataFolder)
      try {
        const [document, words] = await act({ context, control, id, options })
        printResult(context, document, words)
      } finally {
        await control.close()
      }
    })
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

interface Wish {
  readonly context: Context
  readonly control: ServerControl
  readonly id: string | undefined
  readonly options: Options
}

type Action = (wish: Wish) => Promise<[document: unknown, words: string]>

const actions: Readonly<Record<string, Action>> = {
  async list({ context, control }) {
    const keys = await control.keys.list({ after: null, limit: mostListed })
    const words = keys.map((key) => keyWords(key, context.now)).join('\n')
    return [
      { keys: keys.map(keyBody) },
      words || 'There are no keys yet: loyalcast keys create --name NAME --role ROLE makes one.',
    ]
  },
  async create({ context, control, options }) {
    const record = newKey(context, options)
    const key = await control.keys.create({ ...record, secret: context.makeSecret() })
    const body = keyBody({ ...record, lastUsedAt: null, revokedAt: null })
    return [
      { ...body, key },
      `${key}\nThis is the key ${record.id} for ${record.name} (${record.role}, ${programWords(record)}). It is shown this once and kept nowhere: put it where it is used now.`,
    ]
  },
  async revoke({ context, control, id }) {
    if (id === undefined) throw usageError('unknown-key', 'keys revoke needs the id of a key.')
    const found = await control.keys.find(id)
    if (found === null)
      throw usageError('unknown-key', `There is no key with the id ${id}. loyalcast keys lists them.`)
    await control.keys.revoke(id, context.now)
    return [
      { revoked: id },
      `${id} (${found.name}) is refused from now on; a server that runs refuses it within seconds.`,
    ]
  },
}

/** **Errors** `key` where an option is missing or wrong. */
function newKey(context: Context, { name, role, program, expires }: Options) {
  const trimmed = name?.trim() ?? ''
  if (trimmed === '' || trimmed.length > longestName)
    throw usageError(
      'key',
      `keys create needs --name: who or what will use the key, in up to ${longestName} characters.`,
    )
  if (role === undefined)
    throw usageError('key', `keys create needs --role; it is one of ${Object.keys(roles).join(', ')}.`)
  const wrong = program.find((one) => !/^[a-z0-9-]{1,48}$/.test(one))
  if (wrong !== undefined)
    throw usageError(
      'key',
      `--program is ${wrong}; the name of a program has small letters, digits and - only.`,
    )
  const day = dayOption('--expires', expires)
  const expiresAt = day === undefined ? null : endOfDay(day, 'UTC')
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.parse(context.now))
    throw usageError('key', `--expires is ${day}, which is over; now it is ${context.now}.`)
  return {
    ...{ id: context.makeId(), name: trimmed, role, expiresAt, createdAt: context.now },
    programs: program.length === 0 ? null : [...new Set(program)],
  }
}

function keyWords(key: ApiKeyRecord, now: string): string {
  const end = endOfKey(key, now) ?? (key.expiresAt === null ? 'works' : `works until ${key.expiresAt}`)
  const used = key.lastUsedAt === null ? 'never used' : `last used ${key.lastUsedAt}`
  return `${key.id}  ${key.name}: ${key.role}, ${programWords(key)}, ${end}, ${used}`
}

function programWords({ programs }: Pick<ApiKeyRecord, 'programs'>): string {
  return programs === null ? 'all programs' : programs.join(' and ')
}
