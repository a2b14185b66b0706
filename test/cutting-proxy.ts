import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * What happens to a connection: bytes of the answer after which it is cut, or after which nothing comes any more; or an
 * answer that is given in place of the server's.
 */
export type Mishap =
  | { readonly cutAfter: number }
  | { readonly stallAfter: number }
  | { readonly says: string }

/** A TCP proxy before a server. Connections meet mishaps in order; those behind the last one meet none. */
export interface CuttingProxy {
  readonly url: string
  readonly mishaps: Mishap[]
  /** First lines of the requests, in order. */
  readonly requests: string[]
  close(): Promise<void>
}

/** Close it. */
export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const mishaps: Mishap[] = []
  const requests: string[] = []
  const open = new Set<Socket>()
  const keep = (socket: Socket) => {
    open.add(socket)
    // Either end may leave in the middle: that is what this is about.
    socket.on('error', () => {}).on('close', () => open.delete(socket))
  }
  const server = createServer((client) => {
    keep(client)
    const mishap = mishaps.shift()
    client.once('data', (first) => {
      requests.push(String(first).split('\r\n', 1)[0])
      if (mishap && 'says' in mishap) return void client.end(mishap.says)
      const upstream = connect(Number(port), hostname)
      keep(upstream)
      upstream.write(first)
      client.pipe(upstream)
      client.on('close', () => upstream.destroy())
      pour(upstream, client, mishap)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mishaps,
    requests,
    close: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Hands the answer on, up to where its mishap begins. */
function pour(upstream: Socket, client: Socket, mishap: Exclude<Mishap, { says: string }> | undefined): void {
  if (mishap === undefined) {
    upstream.pipe(client)
    return
  }
  let left = 'cutAfter' in mishap ? mishap.cutAfter : mishap.stallAfter
  upstream.on('data', (bytes) => {
    if (left < 0) return
    client.write(bytes.subarray(0, left))
    left -= bytes.length
    if (left > 0) return
    left = -1
    if ('cutAfter' in mishap) client.end()
  })
  upstream.on('end', () => client.end())
}
