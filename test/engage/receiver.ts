import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { onTestFinished, vi } from 'vitest'

/** A message as it came in. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of all types
  readonly message: any
}

/** How a message is answered: a status, or whatever else is done with the answer. */
export type Reply = number | ((response: ServerResponse, received: Received) => void)

/** A receiver of webhooks on this machine, gone when the test is. */
export interface Receiver {
  readonly url: string
  readonly received: Received[]
  /** From now on. */
  reply: Reply
  /** The first messages that came in, once there are so many. */
  first(count: number): Promise<Received[]>
}

export async function startReceiver(reply: Reply = 204): Promise<Receiver> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString('utf8')
      const { url: path = '', headers } = request
      const received = { path, headers, body, message: body === '' ? null : JSON.parse(body) }
      receiver.received.push(received)
      if (typeof receiver.reply === 'number') response.writeHead(receiver.reply).end()
      else receiver.reply(response, received)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    received: [],
    reply,
    first: (count) =>
      vi.waitFor(
        () => {
          if (receiver.received.length < count)
            throw new Error(`${receiver.received.length} of ${count} messages came in`)
          return receiver.received.slice(0, count)
        },
        { timeout: 20_000, interval: 5 },
      ),
  }
  return receiver
}

/** What a receiver that holds the secret makes of a message at the time that it says. Throws where it is not genuine. */
export function verified(secret: string, { headers, body }: Pick<Received, 'headers' | 'body'>): unknown {
  vi.useFakeTimers({ toFake: ['Date'], now: Number(headers['webhook-timestamp']) * 1000 })
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>)
  } finally {
    vi.useRealTimers()
  }
}
