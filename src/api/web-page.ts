import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Problem } from './problems.ts'
import { contentPolicy } from './security-headers.ts'

/** The files of the page lie beside the server's, in the sources and in what is built of them. */
const webFolder = join(import.meta.dirname, '..', 'web')

/** The page calls the API by the client as it is built, for browsers read no sources. */
const clientFolder = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, '..', '..', 'dist', 'src', 'client')
  : join(import.meta.dirname, '..', 'client')

/** Packages that the page and the client import, as they are published. */
const packages = ['openapi-fetch', 'p-retry', 'is-network-error'] as const

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The summary page and what it is made of. The address of a file holds a hash over all of them, so it may be kept for ever. */
export const webRoutes: FastifyPluginAsyncZod = async (app) => {
  const files = await readFiles()
  const html = await readFile(join(webFolder, 'index.html'), 'utf8')
  const version = hashOf([html, ...files.values()])
  const imports = Object.fromEntries(packages.map((name) => [name, `./assets/${version}/${name}.js`]))
  const importMap = JSON.stringify({ imports })
  const page = html
    .replaceAll('assets/', `assets/${version}/`)
    .replace('<script type="importmap">', `$&${importMap}`)
  const policy = contentPolicy({ script: importMap })
  app.get('/', { schema: { hide: true } }, (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .header('content-security-policy', policy)
      .send(page),
  )
  app.get(
    '/assets/:version/:name',
    { schema: { hide: true, params: z.object({ version: z.string(), name: z.string() }) } },
    ({ params }, reply) => {
      const file = params.version === version ? files.get(params.name) : undefined
      if (file === undefined)
        throw new Problem('unknown-route', 'There is no such file. Load the page again.')
      return reply
        .type(types[extname(params.name)])
        .header('cache-control', 'public, max-age=31536000, immutable')
        .send(file)
    },
  )
}

/** Name → content. They are few and small, so they are held in memory and no request ever names a path. */
async function readFiles(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const name of (await readdir(webFolder)).sort()) {
    if (extname(name) in types) files.set(name, await readFile(join(webFolder, name)))
  }
  for (const name of ['client.js', 'problem.js', 'retries.js'])
    files.set(name, await readFile(join(clientFolder, name)))
  for (const name of packages)
    files.set(`${name}.js`, await readFile(fileURLToPath(import.meta.resolve(name))))
  const charts = dirname(createRequire(import.meta.url).resolve('echarts/package.json'))
  files.set('echarts.js', await readFile(join(charts, 'dist', 'echarts.simple.min.js')))
  return files
}

function hashOf(contents: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const content of contents) hash.update(content).update('\0')
  return hash.digest('base64url').slice(0, 16)
}
