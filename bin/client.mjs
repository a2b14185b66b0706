#!/usr/bin/env node
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './build.mjs'

/*
 * npm run client [-- --check]
 *
 * Writes the types of the client, src/client/openapi.ts, from the OpenAPI document of the API, or tells whether they are
 * of that document. The generator is fetched when it is needed: it wants an older compiler than the project.
 */
const packages = ['openapi-typescript@7.13.0', 'typescript@5.9.3'].map((name) => `--package=${name}`)
const target = join(root, 'src', 'client', 'openapi.ts')

const described = read(process.execPath, [join(root, 'bin', 'loyalcast.mjs'), 'schema', 'api'])
const { info, ...document } = JSON.parse(described)
const wanted = forTypes(document)
const fingerprint = createHash('sha256').update(JSON.stringify(wanted)).digest('hex')
const head = `// Fingerprint of the document: ${fingerprint}\n`
if (!process.argv.includes('--check')) writeTypes()
else if (!readFileSync(target, 'utf8').startsWith(head)) {
  process.stderr.write('src/client/openapi.ts is older than the API. npm run client writes it.\n')
  process.exitCode = 1
}

/** What types are made of: one kind of body without examples, and the one shape of all that is no result once for each operation. */
function forTypes({ openapi, paths, webhooks, components: { schemas } }) {
  const document = structuredClone({ openapi, paths, webhooks, components: { schemas } })
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    const results = Object.entries(operation.responses).filter(([status]) => status < '400')
    operation.responses = { ...Object.fromEntries(results), default: { description: 'A problem', content } }
    for (const response of Object.values(operation.responses)) delete response.headers
    const bodies = [operation.requestBody, ...Object.values(operation.responses)]
    for (const body of bodies) if (body?.content) body.content = mainKind(body.content)
  }
  return document
}

/** JSON where there is some: it is what the client sends and asks for. */
function mainKind(content) {
  const kinds = 'application/json' in content ? ['application/json'] : Object.keys(content)
  return Object.fromEntries(kinds.map((type) => [type, { schema: content[type].schema }]))
}

function writeTypes() {
  const folder = mkdtempSync(join(tmpdir(), 'loyalcast-client-'))
  try {
    const file = join(folder, 'openapi.json')
    writeFileSync(file, JSON.stringify({ info, ...wanted }))
    writeFileSync(target, head + read('npx', ['--yes', ...packages, '--', 'openapi-typescript', file]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(program, args) {
  const stdio = ['ignore', 'pipe', 'inherit']
  return execFileSync(program, args, { encoding: 'utf8', stdio, maxBuffer: 1 << 26 })
}
