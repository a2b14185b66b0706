import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Copy, copiesOf, listOf, readDockerfile } from './dockerfile.ts'

const root = join(import.meta.dirname, '../..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const manifest = JSON.parse(read('package.json'))
const stages = readDockerfile(read('Dockerfile'))
const image = stages[stages.length - 1]

/** Files below a folder, as paths from it. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

/** Lays out a folder as the last stage of the Dockerfile does, packages as links. */
function layOut(folder: string): void {
  for (const copy of copiesOf(image)) {
    if (copy.from === 'packages') linkPackages(folder)
    else for (const source of copy.sources) layFile(folder, source.replace('/app/', ''), copy)
  }
}

function layFile(folder: string, source: string, { target, sources }: Copy): void {
  const isFolder = target.endsWith('/') || sources.length > 1
  cpSync(join(root, source), join(folder, isFolder ? join(target, basename(source)) : target), {
    recursive: true,
  })
}

/** Links what `npm ci --omit=dev` would install. */
function linkPackages(folder: string): void {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { dev?: true }> }
  const wanted = Object.keys(packages).filter(
    (path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !packages[path].dev,
  )
  for (const path of wanted.filter((path) => existsSync(join(root, path)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    symlinkSync(join(root, path), join(folder, path))
  }
}

describe('the image', () => {
  let folder: string
  const loyalcast = (...args: string[]) => {
    const { HOME: _, ...environment } = process.env
    const done = spawnSync(process.execPath, [join(folder, 'bin/loyalcast.mjs'), ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment, NODE_ENV: 'production', LOYALCAST_DATA: 'data', INIT_CWD: folder },
    })
    return { code: done.status, stdout: done.stdout, stderr: done.stderr }
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'loyalcast-image-'))
    layOut(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is made from files that are there and that .dockerignore lets through', () => {
    const passed = read('.dockerignore').split('\n')
    expect(passed[0]).toBe('*')
    const sources = stages.flatMap(copiesOf).flatMap(({ from, sources }) => (from === null ? sources : []))
    expect(sources).toContain('src')
    for (const source of sources) {
      expect(existsSync(join(root, source)), source).toBe(true)
      expect(passed, source).toContain(`!${source.split('/')[0]}`)
    }
  })

  it('copies from stages that come before it only what these make', () => {
    const names = stages.map(({ name }) => name)
    for (const { from, sources } of copiesOf(image).filter(({ from }) => from !== null)) {
      expect(names.indexOf(from), from ?? '').toBeGreaterThanOrEqual(0)
      for (const source of sources)
        expect(existsSync(join(root, source.replace('/app/', ''))), source).toBe(true)
    }
  })

  it('starts without any package of development, and without a compiler', () => {
    // Types are no code, and some packages come along with those that need them to run.
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    const developed = Object.keys(manifest.devDependencies).filter(
      (name) => !name.startsWith('@types/') && packages[`node_modules/${name}`].dev === true,
    )
    expect(developed).toContain('typescript')
    for (const name of developed) expect(existsSync(join(folder, 'node_modules', name)), name).toBe(false)
    const { code, stdout, stderr } = loyalcast('--help')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('serve')
  })

  it('imports nothing but its dependencies, danfo.js apart, which is asked for by name', () => {
    const allowed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    const foreign = filesBelow(join(folder, 'dist'))
      .filter((path) => path.endsWith('.js') && !path.startsWith('src/web/'))
      .flatMap((path) => {
        const text = readFileSync(join(folder, 'dist', path), 'utf8')
        const imported = [
          ...text.matchAll(/^(?:import|export)\b[^'\n]*\bfrom '([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm),
        ]
        return imported
          .map(([, still, lazy]) => (still ?? lazy).match(/^(@[^/]+\/)?[^/]+/)?.[0] as string)
          .filter((name) => !name.startsWith('node:') && !allowed.includes(name))
          .map((name) => `${path} imports ${name}`)
      })
    expect(foreign).toEqual(['training/explore.js imports danfojs-node'])
    expect(loyalcast('explore', 'programs')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Data frames need the package danfojs-node.*npm ci/),
    })
  })

  it('works on a program: checks it, ingests it', () => {
    mkdirSync(join(folder, 'programs'))
    writeFileSync(join(folder, 'programs/events.csv'), 'customer_id,at,type\na,2026-10-01,login\n')
    const yaml = 'sources: { events: { file: events.csv } }\noutcomes: { churn: { absence_of: login } }\n'
    writeFileSync(join(folder, 'programs/program.yaml'), `program: shop\n${yaml}`)
    const { code, stderr } = loyalcast('ingest', 'programs')
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('1 read = 1 stored')
  })

  it('holds every file of the web page as it is in the sources', () => {
    const files = filesBelow(join(root, 'src/web')).filter((path) => !/\.tsx?$/.test(path))
    expect(files).toContain('index.html')
    for (const path of files)
      expect(readFileSync(join(folder, 'dist/src/web', path)), path).toEqual(
        readFileSync(join(root, 'src/web', path)),
      )
  })

  it('runs as another user than root, keeps data in volumes, and says whether it is well', () => {
    const textOf = (name: string) => image.instructions.find((one) => one.name === name)?.text
    expect(textOf('USER')).toBe('node')
    expect(listOf(image, 'VOLUME')).toEqual(['/data', '/models', '/programs'])
    expect(textOf('EXPOSE')).toBe('3000')
    expect(textOf('HEALTHCHECK')).toContain('/healthz')
    expect(textOf('ENV')).toContain('LOYALCAST_DATA=/data LOYALCAST_MODELS=/models')
    expect(listOf(image, 'ENTRYPOINT')).toEqual(['node', '/app/bin/loyalcast.mjs'])
  })

  it('judges its health by whether /healthz answers with success', async () => {
    const test = listOf(image, 'HEALTHCHECK')
    const answer = (status: number) =>
      new Promise<number | null>((resolve) => {
        const server = createServer((_, reply) => reply.writeHead(status).end()).listen(0, () => {
          const { port } = server.address() as { port: number }
          const script = test[2].replace(':3000', `:${port}`)
          spawn(process.execPath, ['-e', script]).on('close', (code) => server.close(() => resolve(code)))
        })
      })
    expect(await answer(200)).toBe(0)
    expect(await answer(503)).toBe(1)
  })
})

describe('compose.yaml', () => {
  const { services, volumes } = parse(read('compose.yaml'), { merge: true })

  it('has a service for a program and a demo, each behind a profile of its own', () => {
    expect(services.loyalcast.profiles).toEqual(['serve'])
    expect(services.demo.profiles).toEqual(['demo'])
    expect(services.loyalcast.command).toEqual(listOf(image, 'CMD'))
  })

  it.each(Object.keys(services))('locks %s in, limits it, and asks it whether it is well', (name) => {
    const service = services[name]
    expect(service).toMatchObject({
      ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
      ...{ mem_limit: expect.any(String), cpus: expect.any(Number), pids_limit: expect.any(Number) },
    })
    expect(service.tmpfs[0]).toMatch(/^\/tmp:/)
    expect(service.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
    expect(service.healthcheck.test.slice(1)).toEqual(listOf(image, 'HEALTHCHECK'))
    expect(service.environment).toHaveProperty('LOYALCAST_API_KEY', null)
  })

  it.each(Object.keys(services))('gives %s a place to write for every volume of the image', (name) => {
    const mounts = (services[name].volumes as string[]).map(
      (mount) => mount.match(/^(.+):(\/\w+)(:ro)?$/) ?? [],
    )
    const targets = mounts.map(([, , target]) => target)
    expect(targets).toEqual(expect.arrayContaining(['/data', '/models']))
    for (const [, source, target] of mounts)
      if (target !== '/programs') expect(volumes).toHaveProperty(source)
  })
})
