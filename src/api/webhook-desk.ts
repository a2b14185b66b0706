import { existsSync } from 'node:fs'
import { type Control, controlPath } from '../control/control.ts'
import type { QueueLengths } from '../control/webhook-deliveries.ts'
import type { Positions } from '../control/webhook-endpoints.ts'
import type { Program } from '../domain/program.ts'
import { DispatchLoop } from '../engage/dispatch-loop.ts'
import { jobSource } from '../engage/job-source.ts'
import { dayReadySource } from '../engage/lake-source.ts'
import { promotionSource } from '../engage/promotion-source.ts'
import { Sender } from '../engage/sender.ts'
import { type TargetOptions, TargetRules } from '../engage/target-rules.ts'
import type { WebhookSource } from '../engage/webhook-source.ts'
import { shiftSource } from '../jobs/shift-source.ts'

/** What whoever runs the server decides about webhooks. */
export interface WebhookSettings extends TargetOptions {
  /** Whether this process sends. Endpoints can be kept where it does not, for another process to send to. */
  readonly isSending: boolean
  /** A new secret, as {@link secretOf} makes them. */
  readonly makeSecret: () => string
  /** A number from 0 to 1. */
  readonly random: () => number
  /** Milliseconds since some moment. */
  readonly stopwatch: () => number
  /** Between two looks at what is new, in milliseconds. @default 2000 */
  readonly intervalMs?: number
  /** Until an endpoint must have answered, in milliseconds. @default 15_000 */
  readonly timeoutMs?: number
}

export interface WebhookDeskOptions {
  readonly programs: readonly Program[]
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly settings: WebhookSettings
  /** Opens what is kept of a program, making it where there is none. */
  readonly control: (program: Program) => Promise<Control>
  readonly clock: () => string
  readonly makeId: () => string
  readonly onError: (error: unknown) => void
}

/** How long a stop waits for endpoints to answer, in milliseconds. What has not been answered is sent again later. */
const graceMs = 5000

/** Where events of a program come from. A new source is added here, and its types to the catalogue. */
export function webhookSources(
  program: Program,
  { dataFolder, modelsFolder, control }: { dataFolder: string; modelsFolder: string; control: Control },
): WebhookSource[] {
  return [
    dayReadySource(dataFolder, program),
    shiftSource(dataFolder, program),
    promotionSource(modelsFolder, program),
    jobSource(control.jobs, program),
  ]
}

/** Where the sources of a program are now: its first endpoint begins there. */
export async function presentPositions(sources: readonly WebhookSource[]): Promise<Positions> {
  const positions = sources.map(async (source) => [source.name, await source.present()] as const)
  return new Map(await Promise.all(positions))
}

/** Keeps the webhooks of the programs that are served, and sends them. */
export class WebhookDesk {
  readonly rules: TargetRules
  readonly #options: WebhookDeskOptions
  readonly #sender: Sender
  readonly #loops = new Map<string, DispatchLoop>()

  constructor(options: WebhookDeskOptions) {
    this.#options = options
    this.rules = new TargetRules(options.settings)
    this.#sender = new Sender({ ...options.settings, rules: this.rules })
  }

  /** Begins to send, where this process does. */
  start(): void {
    const { settings, programs, dataFolder, modelsFolder } = this.#options
    if (!settings.isSending) return
    for (const program of programs) {
      const loop = new DispatchLoop({
        ...this.#options,
        ...settings,
        intervalMs: settings.intervalMs ?? 2000,
        sender: this.#sender,
        control: () => this.#findControl(program),
        sourcesOf: (control) => webhookSources(program, { dataFolder, modelsFolder, control }),
      })
      this.#loops.set(program.name, loop)
      loop.wake()
    }
  }

  get clock(): () => string {
    return this.#options.clock
  }

  get makeId(): () => string {
    return this.#options.makeId
  }

  get makeSecret(): () => string {
    return this.#options.settings.makeSecret
  }

  /** What is kept of a program's webhooks. */
  async of(program: Program): Promise<Control['webhooks']> {
    return (await this.#options.control(program)).webhooks
  }

  /** Where the sources of a program are now. */
  async positions(program: Program): Promise<Positions> {
    const control = await this.#options.control(program)
    return presentPositions(webhookSources(program, { ...this.#options, control }))
  }

  /** Has something sent at once. */
  wake(program: Program): void {
    this.#loops.get(program.name)?.wake()
  }

  /** What waits and what was given up, by program. For metrics. */
  async queueLengths(): Promise<ReadonlyMap<string, QueueLengths>> {
    const lengths = this.#options.programs.map(async (program): Promise<[string, QueueLengths]> => {
      const control = await this.#findControl(program)
      return [program.name, (await control?.webhooks.deliveries.lengths()) ?? { pending: 0, dead: 0 }]
    })
    return new Map(await Promise.all(lengths))
  }

  /** Begins nothing more, and waits a little for what is being sent. */
  async close(): Promise<void> {
    const timer = setTimeout(() => void this.#sender.close(), graceMs)
    await Promise.all([...this.#loops.values()].map((loop) => loop.close()))
    clearTimeout(timer)
    await this.#sender.close()
  }

  /** Nothing is made only because somebody looks. */
  async #findControl(program: Program): Promise<Control | null> {
    const { dataFolder, control } = this.#options
    return existsSync(controlPath(dataFolder, program)) ? control(program) : null
  }
}
