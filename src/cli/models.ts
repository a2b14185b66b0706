import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { usageError } from '../domain/errors.ts'
import { Registry } from '../model/registry.ts'
import { contextOf, printResult } from './context.ts'

/** `loyalcast models PROGRAM [list|show V|promote V|rollback]`: the registry. */
export function modelsCommand(): Command {
  return new Command('models')
    .description('lists, shows, promotes and rolls back model versions')
    .argument('<program>', 'path of a program file')
    .argument('[action]', 'list, show, promote or rollback', 'list')
    .argument('[version]', 'a version, for show and promote')
    .action(
      async (path: string, action: string, version: string | undefined, _: unknown, command: Command) => {
        const context = contextOf(command)
        const program = await context.readProgram(path)
        const registry = new Registry(context.modelsFolder, program.name)
        const act = actions[action]
        if (!act)
          throw usageError(
            'action',
            `models ${action}: the action is one of ${Object.keys(actions).join(', ')}.`,
          )
        const [document, words] = await act(registry, version, context.now)
        printResult(context, document, words)
      },
    )
}

type Action = (
  registry: Registry,
  version: string | undefined,
  now: string,
) => Promise<[document: unknown, words: string]>

const actions: Readonly<Record<string, Action>> = {
  async list(registry) {
    const champion = await registry.champion()
    const versions = (await registry.versions()).map((version) => ({
      version,
      isChampion: version === champion,
    }))
    const lines = versions.map(({ version, isChampion }) => `${version}${isChampion ? '  champion' : ''}`)
    return [
      { champion, versions, log: await registry.log() },
      lines.join('\n') || 'No version was trained yet: run loyalcast train.',
    ]
  },
  async show(registry, version) {
    const wanted = version ?? (await registry.champion())
    if (wanted === null) throw usageError('no-version', 'No version was trained yet: run loyalcast train.')
    await registry.requireVersion(wanted)
    const folder = registry.folderOf(wanted)
    const card = JSON.parse(await readFile(join(folder, 'card.json'), 'utf8'))
    return [card, await readFile(join(folder, 'card.md'), 'utf8')]
  },
  async promote(registry, version, now) {
    if (version === undefined) throw usageError('no-version', 'models promote needs a version.')
    const entry = await registry.promote(version, { at: now, reason: 'promoted by hand' })
    return [entry, `${entry.version} serves now${entry.previous ? `, ${entry.previous} before` : ''}.`]
  },
  async rollback(registry, _version, now) {
    const entry = await registry.rollback({ at: now, reason: 'rolled back by hand' })
    return [entry, `Rolled back: ${entry.version} serves again.`]
  },
}
