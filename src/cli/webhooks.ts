import { Command } from 'commander'
import { presentPositions, webhookSources } from '../api/webhook-desk.ts'
import { deliveryBody, webhookBody } from '../api/webhook-schema.ts'
import { mostEndpoints } from '../api/webhooks.ts'
import { type Control, openControl } from '../control/control.ts'
import type { WebhookEndpoint } from '../control/webhook-endpoints.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { payloadOf, wantedEventTypes, webhookEvent } from '../engage/event-catalogue.ts'
import { messageId } from '../engage/gather.ts'
import { TargetRules } from '../engage/target-rules.ts'
import { type Context, contextOf, printResult } from './context.ts'
import { webhookSettings } from './webhook-settings.ts'

interface Options {
  readonly events: string
}

/** What an action works with. `given` is an address or an id. */
interface Work {
  readonly control: Control
  readonly context: Context
  readonly program: Program
  readonly given: string | undefined
  readonly options: Options
}

type Action = (work: Work) => Promise<[document: unknown, words: string]>

/** Deliveries that are shown. */
const mostShown = 50

/** `loyalcast webhooks PROGRAM [list|add URL|remove ID|test ID|deliveries ID]`: where events are sent. */
export function webhooksCommand(): Command {
  return new Command('webhooks')
    .description('lists, adds, removes and tries webhooks; loyalcast serve sends to them')
    .argument('<program>', 'path of a program file')
    .argument('[action]', 'list, add, remove, test or deliveries', 'list')
    .argument('[given]', 'an address for add, an id for the others')
    .option('--events <types>', `for add: ${wantedEventTypes.join(', ')}, or * for all`, '*')
    .action(async (path: string, action: string, given: string | undefined, options: Options, command) => {
      const context = contextOf(command)
      const program = await context.readProgram(path)
      const act = actions[action]
      if (!act)
        throw usageError(
          'action',
          `webhooks ${action}: the action is one of ${Object.keys(actions).join(', ')}.`,
        )
      const control = await openControl(context.dataFolder, program)
      try {
        const [document, words] = await act({ control, context, program, given, options })
        printResult(context, document, words)
      } finally {
        await control.close()
      }
    })
}

const actions: Readonly<Record<string, Action>> = {
  async list({ control, program: { name } }) {
    const webhooks = await control.webhooks.endpoints.list({ after: null, limit: mostEndpoints })
    const lines = webhooks.map(({ id, url, eventTypes, isActive, disabledReason }) => {
      const off = isActive ? '' : `  off${disabledReason ? `: ${disabledReason}` : ''}`
      return `${id}  ${url}  ${eventTypes.join(', ')}${off}`
    })
    return [
      { program: name, webhooks: webhooks.map(webhookBody) },
      lines.join('\n') || `${name} has no webhooks: loyalcast webhooks PROGRAM add URL adds one.`,
    ]
  },
  async add(work) {
    const endpoint = await addEndpoint(work)
    const { secret } = endpoint
    return [
      { ...webhookBody(endpoint), secret },
      `${endpoint.id} is sent events from now on. They are signed with ${secret}, which is shown only now.`,
    ]
  },
  async remove(work) {
    const { id } = await findEndpoint(work)
    await work.control.webhooks.endpoints.remove(id)
    return [{ removed: id }, `${id} is gone, and what waited for it.`]
  },
  async test(work) {
    const { control, context, program } = work
    const { id } = await findEndpoint(work)
    const at = new Date(context.now).toISOString()
    const payload = payloadOf(webhookEvent('ping', at, { program: program.name, webhook_id: id }))
    const message = { id: messageId(context.makeId), type: 'ping', payload }
    await control.webhooks.outbox.sendTo(id, message, at)
    return [{ message_id: message.id }, `${message.id} waits to be sent: loyalcast serve sends it at once.`]
  },
  async deliveries(work) {
    const { id } = await findEndpoint(work)
    const shown = { after: null, limit: mostShown, status: null }
    const deliveries = await work.control.webhooks.deliveries.list(id, shown)
    const lines = deliveries.map(({ messageId, type, status, tries, last, nextTryAt }) => {
      const more = [last?.problem, nextTryAt && `next try ${nextTryAt}`].filter(Boolean).join(' ')
      return `${messageId}  ${type}  ${status} after ${tries} ${tries === 1 ? 'try' : 'tries'}${more ? `: ${more}` : ''}`
    })
    return [
      { webhook_id: id, deliveries: deliveries.map(deliveryBody) },
      lines.join('\n') || `Nothing was sent to ${id} in the last 30 days.`,
    ]
  },
}

async function addEndpoint({ control, context, program, given, options }: Work): Promise<WebhookEndpoint> {
  if (given === undefined) throw usageError('webhook', 'webhooks add needs the address to send to.')
  const eventTypes = [...new Set(options.events.split(',').map((type) => type.trim()))]
  const allowed: readonly string[] = ['*', ...wantedEventTypes]
  const unknown = eventTypes.find((type) => !allowed.includes(type))
  if (unknown !== undefined)
    throw usageError('events', `--events names ${unknown}; there are: ${allowed.join(', ')}.`)
  const settings = webhookSettings(process.env, context.stopwatch)
  const reason = await new TargetRules(settings).refuse(given)
  if (reason !== null) throw usageError('webhook', `${given.slice(0, 200)} ${reason}.`)
  const endpoint = {
    ...{ id: context.makeId(), url: new URL(given).href, eventTypes, description: '', isActive: true },
    ...{ secret: settings.makeSecret(), createdAt: new Date(context.now).toISOString() },
  }
  const positions = await presentPositions(webhookSources(program, { ...context, control }))
  if (!(await control.webhooks.endpoints.add(endpoint, { most: mostEndpoints, positions })))
    throw usageError('webhook', `${program.name} has ${mostEndpoints} webhooks already. Remove one first.`)
  return (await control.webhooks.endpoints.find(endpoint.id)) as WebhookEndpoint
}

async function findEndpoint({ control, program, given }: Work): Promise<WebhookEndpoint> {
  const found = given === undefined ? null : await control.webhooks.endpoints.find(given)
  if (found) return found
  throw usageError(
    'webhook',
    `${program.name} has no webhook ${given ?? 'without an id'}. loyalcast webhooks lists them.`,
  )
}
