import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mayDo, type Role, roles, type Scope, scopes } from '../../src/domain/access.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { problem, type Served, serveMade } from './served.ts'

interface Operation {
  readonly method: string
  readonly path: string
  readonly scope: Scope | undefined
  /** What is asked for by Accept; default: anything. */
  readonly accept?: string
}

/** Another type than JSON at the address of the pages is a whole day: the document has one scope for an address. */
const byAccept = ['application/x-ndjson', 'text/csv', 'application/vnd.apache.parquet'].map(
  (accept): Operation => ({
    ...{ method: 'GET', path: '/v1/programs/{program}/predictions', scope: 'export', accept },
  }),
)

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let other: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let operations: readonly Operation[]
const keys = new Map<Role, string>()
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  other = await makeLastingProgram({ yaml: `program: other\n${madeYaml}` })
  for (const { program } of [made, other])
    await publishDay({ program, dataFolder: made.dataFolder }, '2026-10-01', [madeRow('a')])
  served = await serveMade(made, [other.program])
  operations = [...operationsOf((await served.ask('/openapi.json', { key: null })).body), ...byAccept]
  for (const role of Object.keys(roles) as Role[]) {
    const body = JSON.stringify({ name: role, role, programs: ['test'] })
    const headers = { 'content-type': 'application/json' }
    keys.set(role, (await served.ask('/v1/keys', { method: 'POST', headers, body })).body.key)
  }
})
afterAll(async () => {
  await served.close()
  await made.remove()
  await other.remove()
})

/** Everything that the document describes and that needs a key. */
// biome-ignore lint/suspicious/noExplicitAny: a document of any shape
function operationsOf(document: any): Operation[] {
  return Object.entries<Record<string, { security?: { key?: Scope[] }[] }>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods)
        .map(([method, { security }]) => ({
          ...{ method: method.toUpperCase(), path },
          scope: (security ?? document.security)[0]?.key?.[0],
        }))
        .filter(({ scope }) => path.startsWith('/v1/') || scope !== undefined),
  )
}

/** Sends a request without a body, about things that nobody has. */
function ask({ method, path, accept = '*/*' }: Operation, program: string, key: string | null) {
  const address = path.replace('{program}', program).replaceAll(/\{\w+\}/g, 'nothing')
  return served.ask(address, { method, key, headers: { accept } })
}

const known = Object.keys(scopes)

describe('every address that needs a key', () => {
  it('names one of the scopes, and there are such addresses', () => {
    expect(operations.length).toBeGreaterThan(15)
    for (const { method, path, scope } of operations) expect(known, `${method} ${path}`).toContain(scope)
  })

  it('answers 401 to whoever has no key or an unknown one', async () => {
    for (const operation of operations)
      for (const key of [null, `lc_id1_${'x'.repeat(43)}`])
        expect((await ask(operation, 'test', key)).body).toMatchObject(problem('unauthorized', 401))
  })

  describe.each(Object.keys(roles) as Role[])('to a key of the role %s', (role) => {
    it('answers 403 with the scope and the role where the role does not have it, and only there', async () => {
      for (const operation of operations) {
        const words = `${operation.method} ${operation.path}`
        const { status, body } = await ask(operation, 'test', keys.get(role) as string)
        if (mayDo(role, operation.scope as Scope)) {
          expect([401, 403], words).not.toContain(status)
          expect(body?.type, words).not.toBe('urn:loyalcast:problem:unknown-program')
        } else {
          expect(body, words).toMatchObject(problem('forbidden', 403))
          expect(body.detail, words).toContain(`scope ${operation.scope}`)
          expect(body.detail, words).toContain(`role ${role}`)
        }
      }
    })

    it('answers about another program as about one that does not exist', async () => {
      const ofPrograms = operations.filter(({ path }) => path.includes('{program}'))
      expect(ofPrograms.length).toBeGreaterThan(10)
      for (const operation of ofPrograms) {
        const [others, none] = await Promise.all(
          ['other', 'nowhere'].map((program) => ask(operation, program, keys.get(role) as string)),
        )
        const isAllowed = mayDo(role, operation.scope as Scope)
        const expected = isAllowed ? problem('unknown-program', 404) : problem('forbidden', 403)
        expect(others.body, operation.path).toMatchObject(expected)
        expect(others.body.detail).toBe(none.body.detail.replaceAll('nowhere', 'other'))
        expect(others.body.detail).not.toMatch(/Served here:.*other/)
      }
    })
  })
})
