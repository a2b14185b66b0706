#!/usr/bin/env node
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build.mjs'

/*
 * npm run client
 *
 * Writes the types of the client, src/client/openapi.ts, from the OpenAPI document of the API. A test tells when they are
 * older than it. The generator is fetched when it is needed: it wants an older compiler than the project.
 */
const packages = ['openapi-typescript@7.13.0', 'typescript@5.9.3'].map((name) => `--package=${name}`)

const folder = mkdtempSync(join(tmpdir(), 'loyalcast-client-'))
try {
  const document = join(folder, 'openapi.json')
  const described = read(process.execPath, [join(root, 'bin', 'loyalcast.mjs'), 'schema', 'api'])
  writeFileSync(document, JSON.stringify(forTypes(JSON.parse(described))))
  const types = read('npx', ['--yes', ...packages, '--', 'openapi-typescript', document])
  writeFileSync(join(root, 'src', 'client', 'openapi.ts'), types)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** What types are made of: no examples of bodies, and the one shape of all that is no result once for each operation. */
function forTypes(document) {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    const results = Object.entries(operation.responses).filter(([status]) => status < '400')
    operation.responses = { ...Object.fromEntries(results), default: { description: 'A problem', content } }
    for (const response of Object.values(operation.responses)) delete response.headers
    const bodies = [operation.requestBody, ...Object.values(operation.responses)]
    for (const media of bodies.flatMap((body) => Object.values(body?.content ?? {}))) delete media.example
  }
  return document
}

function read(program, args) {
  const stdio = ['ignore', 'pipe', 'inherit']
  return execFileSync(program, args, { encoding: 'utf8', stdio, maxBuffer: 1 << 26 })
}
