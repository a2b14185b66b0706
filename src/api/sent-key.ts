import type { FastifyRequest } from 'fastify'

/** Routes that also take a key as the user name of Basic authentication, as tools for Segment send it. */
const isBasicTaken = /^\/v1\/programs\/[^/]+\/segment\//

/** The key that a request carries; undefined where there is none in a form that the route takes. */
export function sentKey({ headers, url }: Pick<FastifyRequest, 'headers' | 'url'>): string | undefined {
  const { authorization = '' } = headers
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization)?.[1]
  if (bearer !== undefined || !isBasicTaken.test(url)) return bearer
  const basic = /^Basic +([\w+/]+=*) *$/i.exec(authorization)?.[1]
  if (basic === undefined) return undefined
  const [user] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  return user === '' ? undefined : user
}
