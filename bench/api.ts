import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import { startCeiling } from './api-ceiling.ts'
import { customerId, makeManyPredictions } from './api-company.ts'
import { checkout } from './commands.ts'

const key = 'measured-with-this-key'
const authorization = `Bearer ${key}`

/** `npm run bench:api [-- --customers N --seconds N --folder DIR]` */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      customers: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '10' },
      folder: { type: 'string' },
    },
  })
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'loyalcast-api-')))
  try {
    await measure(folder, Number(values.customers), Number(values.seconds))
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true })
  }
}

async function measure(folder: string, customers: number, seconds: number): Promise<void> {
  const made = await makeManyPredictions(folder, customers)
  console.log(`${customers} customers, ${seconds} s a measurement, client and server on this machine`)
  const server = await startMeasured(made)
  try {
    const api = `${server.url}/v1/programs/many`
    const example = await (
      await fetch(`${api}/customers/${customerId(1)}/prediction`, { headers: { authorization } })
    ).text()
    const ceiling = await startCeiling(example)
    await measureReads(api, { customers, seconds, ceiling: ceiling.url })
    ceiling.close()
    await measurePages(api, seconds)
    await measureBulk(`${api}/predictions.ndjson`, server.pid)
    await measureIngest(`${api}/events`, seconds)
  } finally {
    await server.stop()
  }
}

interface Measured {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** The server as a user starts it; tells how long until it answers, and until rows are ready to be sent. */
async function startMeasured({ path, dataFolder }: { path: string; dataFolder: string }): Promise<Measured> {
  const begin = performance.now()
  const command = [join(checkout, 'bin', 'loyalcast.mjs'), 'serve', path, '--port', '0', '--json']
  const child = spawn(process.execPath, command, {
    env: { ...process.env, LOYALCAST_API_KEY: key, LOYALCAST_DATA: dataFolder, LOYALCAST_RATE_LIMIT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  let url = ''
  for await (const line of createInterface({ input: child.stdout })) {
    text += line
    url = /"url": "([^"]+)"/.exec(text)?.[1] ?? ''
    if (url !== '') break
  }
  console.log(`start to the first answer: ${((performance.now() - begin) / 1000).toFixed(1)} s`)
  for (;;) {
    const ready = (await (await fetch(`${url}/readyz`)).json()) as {
      programs: Record<string, { rows_ready: boolean }>
    }
    if (ready.programs.many.rows_ready) break
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  console.log(`rows ready to be sent: ${((performance.now() - begin) / 1000).toFixed(1)} s after the start`)
  return {
    url,
    pid: child.pid as number,
    stop: async () => {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Draws that repeat. */
function draws(count: number, below: number): number[] {
  let state = 7
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647
    return state % below
  })
}

interface ReadsWish {
  readonly customers: number
  readonly seconds: number
  readonly ceiling: string
}

async function measureReads(api: string, { customers, seconds, ceiling }: ReadsWish): Promise<void> {
  const headers = { authorization }
  const requests = draws(5000, customers).map((n) => ({
    path: `${new URL(api).pathname}/customers/${customerId(n)}/prediction`,
  }))
  for (const [name, url, wanted] of [
    ['single reads', api, requests],
    ['constant of the same size, plain Fastify', ceiling, [{ path: '/' }]],
  ] as const) {
    const result = await autocannon({
      ...{ url: new URL(url).origin, duration: seconds, connections: 16, headers, workers: 1 },
      requests: [...wanted],
    })
    const { requests: rate, latency, non2xx, errors } = result
    console.log(
      `${name}: ${Math.round(rate.average)}/s, p50 ${latency.p50} ms, p99 ${latency.p99} ms${non2xx + errors > 0 ? `, ${non2xx} refused, ${errors} failed` : ''}`,
    )
  }
}

async function measurePages(api: string, seconds: number): Promise<void> {
  for (const [name, query, encoding = 'identity'] of [
    ['in the order of customers', 'limit=1000'],
    ['in the order of customers, packed', 'limit=1000', 'gzip'],
    ['sorted by value at risk', 'limit=1000&sort=-value_at_risk'],
    ['churn above 0.9 in a segment', 'limit=1000&where=churn_90:above:0.9&segment=at-risk-passives'],
  ]) {
    const took: number[] = []
    const end = performance.now() + seconds * 1000
    let cursor: string | null = null
    while (performance.now() < end) {
      const begin = performance.now()
      const response: Response = await fetch(
        `${api}/predictions?${query}${cursor === null ? '' : `&cursor=${cursor}`}`,
        { headers: { authorization, 'accept-encoding': encoding } },
      )
      const text = await response.text()
      took.push(performance.now() - begin)
      if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 300)}`)
      cursor = /"next_cursor":(?:"([^"]+)"|null)\}$/.exec(text.slice(-12_500))?.[1] ?? null
    }
    console.log(
      `pages of 1,000, ${name}: ${took.length} pages, p50 ${quantile(took, 0.5)} ms, p99 ${quantile(took, 0.99)} ms`,
    )
  }
}

function quantile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1)
}

/** A whole day, while the memory of the server is watched. */
async function measureBulk(address: string, pid: number): Promise<void> {
  const before = await residentMiB(pid)
  let most = before
  const watch = setInterval(() => {
    void residentMiB(pid).then((now) => {
      most = Math.max(most, now)
    })
  }, 50)
  const begin = performance.now()
  const response = await fetch(address, { headers: { authorization, 'accept-encoding': 'identity' } })
  let bytes = 0
  let lines = 0
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.length
    for (let at = part.indexOf(10); at !== -1; at = part.indexOf(10, at + 1)) lines++
  }
  clearInterval(watch)
  const took = (performance.now() - begin) / 1000
  console.log(
    `bulk NDJSON: ${lines} rows, ${(bytes / 1e9).toFixed(2)} GB in ${took.toFixed(1)} s; memory of the server ${before.toFixed(0)} MiB before, ${(most - before).toFixed(0)} MiB more at most`,
  )
}

const batchRows = 1000

/** Events with ids of their own, acknowledged once they are on the disk. */
async function measureIngest(address: string, seconds: number): Promise<void> {
  const { origin, pathname } = new URL(address)
  const rows = Array.from({ length: batchRows }, (_, n) => ({
    ...{ event_id: `@-${n}`, customer_id: customerId(n), at: '2026-11-20T10:00:00Z' },
    ...{ type: n % 3 === 0 ? 'purchase' : 'login', value: n, channel: 'web' },
  }))
  const template = JSON.stringify(rows)
  let batch = 0
  let accepted = 0
  const result = await autocannon({
    ...{ url: origin, duration: seconds, connections: 4 },
    requests: [
      {
        method: 'POST',
        path: pathname,
        headers: { authorization, 'content-type': 'application/json' },
        setupRequest: (request) => ({ ...request, body: template.replaceAll('@', `b${++batch}`) }),
        onResponse: (status, body) => {
          if (status === 200) accepted += body.split('"accepted"').length - 1
        },
      },
    ],
  })
  const { latency, non2xx, errors } = result
  console.log(
    `events acknowledged durable: ${Math.round(accepted / result.duration)}/s in batches of ${batchRows}, p50 ${latency.p50} ms, p99 ${latency.p99} ms${non2xx + errors > 0 ? `, ${non2xx} refused, ${errors} failed` : ''}`,
  )
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
