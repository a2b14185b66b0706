import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet, { type HelmetOptions } from 'helmet'

/** Everything comes from this server and nothing is written into the page. TLS, and what goes with it, is a proxy's. */
const options = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' as const },
}

/** What every answer says to browsers. It is the same for all, so it is worked out once: that took a tenth of a read. */
export function securityHeaders(): Record<string, string> {
  return headersBy(options)
}

/** The policy of a page with one script within it. @param script its text */
export function contentPolicy({ script }: { readonly script: string }): string {
  const { contentSecurityPolicy: own } = options
  const hash = createHash('sha256').update(script).digest('base64')
  const directives = { ...own.directives, scriptSrc: [...own.directives.scriptSrc, `'sha256-${hash}'`] }
  const headers = headersBy({ ...options, contentSecurityPolicy: { ...own, directives } })
  return headers['content-security-policy']
}

function headersBy(wanted: HelmetOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  const answer = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value
    },
    removeHeader: () => undefined,
  }
  helmet(wanted)({} as IncomingMessage, answer as unknown as ServerResponse, (error?: unknown) => {
    if (error !== undefined) throw error
  })
  return headers
}
