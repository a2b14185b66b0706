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
 * Asks again, after a while, where the server is busy (429, 503) or gave no answer: after what it wishes by `Retry-After`, up to
 * a minute, and half a second more, twice as long each time. What would do something twice is asked again only if it was refused
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
        ...{ retries, minTimeout: 500, randomize: true, signal: request.signal },
        shouldRetry: ({ error }) =>
          error instanceof NotNow ? waitOf(error.response) <= longestWait : isRepeatable(request),
        onFailedAttempt: async ({ error, retriesLeft }) => {
          if (error instanceof NotNow && retriesLeft > 0) await pause(waitOf(error.response))
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

/** What the server wishes, in seconds. */
function waitOf({ headers }: Response): number {
  return Number(headers.get('retry-after') ?? 0) || 0
}

async function pause(seconds: number): Promise<void> {
  if (seconds > 0 && seconds <= longestWait)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
