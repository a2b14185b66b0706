import pRetry from 'p-retry'
import { NoAnswer } from './problem.ts'

export type Fetch = (request: Request) => Promise<Response>

/** An answer after which the same may be asked again. */
class NotNow extends Error {
  constructor(readonly response: Response) {
    super(`status ${response.status}`)
  }
}

/** What may be sent twice without being done twice. */
function isRepeatable({ method, headers }: Request): boolean {
  return !['POST', 'PATCH'].includes(method) || headers.has('idempotency-key')
}

/**
 * Asks again, after a while, where the server is busy (429, 503) or gave no answer: as long as it wishes by `Retry-After`,
 * else half a second and twice as long each time. What would do something twice is asked again only if it was refused
 * before it was looked at (429).
 *
 * @param retries how often at most; 0: never
 *
 * **Errors** {@link NoAnswer}.
 */
export function retrying(fetch: Fetch, retries: number): Fetch {
  return async (request) => {
    const ask = async () => {
      const response = await fetch(request.clone())
      const isLater = response.status === 429 || (response.status === 503 && isRepeatable(request))
      if (isLater) throw new NotNow(response)
      return response
    }
    try {
      return await pRetry(ask, {
        ...{ retries, minTimeout: 500, randomize: true },
        ...(request.signal && { signal: request.signal }),
        shouldRetry: ({ error }) => error instanceof NotNow || isRepeatable(request),
        onFailedAttempt: async ({ error, retriesLeft }) => {
          if (error instanceof NotNow && retriesLeft > 0) await waitAsAsked(error.response)
        },
      })
    } catch (error) {
      if (error instanceof NotNow) return error.response
      if (request.signal.aborted) throw error
      throw new NoAnswer(error)
    }
  }
}

/** In seconds. A server that needs longer is asked later by whoever asked. */
const longestWait = 60

async function waitAsAsked({ headers }: Response): Promise<void> {
  const seconds = Number(headers.get('retry-after') ?? 0)
  if (!(seconds > 0)) return
  await new Promise((resolve) => setTimeout(resolve, Math.min(seconds, longestWait) * 1000))
}
