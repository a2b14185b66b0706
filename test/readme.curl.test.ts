import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Libsql from 'libsql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Database } from '../src/lake/database.ts'
import { type Block, blocks, codeWords, dictionary, readme, root, section } from './readme-parts.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const curl = process.env.CURL_PATH ?? 'curl'
const key = 'a-key-of-the-readme-0123456789'

describe('the first program of the README', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'loyalcast-readme-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const steps = blocks(section(readme, '## A first program from your own CSV'))
  const environment = { ...process.env, LOYALCAST_DATA: 'data', LOYALCAST_MODELS: 'models' }

  /** Runs a line as the README's reader would, from `folder` instead of the checkout. */
  function run(line: string): string {
    const binary = `"${process.execPath}" "${join(root, 'bin/loyalcast.mjs')}"`
    const command = line.replace('npm run --silent loyalcast --', binary)
    const settings = { ...environment, INIT_CWD: folder }
    const done = spawnSync('bash', ['-c', `${command} 2>&1`], { cwd: folder, env: settings })
    const output = done.stdout.toString()
    expect(done.status, `${line}\n${output}`).toBe(0)
    return output
  }

  it('runs as written and prints what stands there, but for the figures', { timeout: 600_000 }, () => {
    expect(manifest.scripts.loyalcast).toBe('node bin/loyalcast.mjs')
    let output: string[] = []
    for (const { language, file, code } of steps) {
      if (file) {
        mkdirSync(dirname(join(folder, file)), { recursive: true })
        writeFileSync(join(folder, file), code)
      } else if (language === 'sh') {
        output = code
          .trim()
          .split('\n')
          .flatMap((line) => run(line).split('\n'))
      } else {
        for (const line of code.trim().split('\n')) {
          const found = output.findIndex((printed) => isShown(line, printed))
          expect(found, `"${line}" follows in\n${output.join('\n')}`).toBeGreaterThan(-1)
          output = output.slice(found + 1)
        }
      }
    }
  })

  it('serves the API as its section says, and answers in the shapes that stand there', {
    timeout: 600_000,
  }, async () => {
    const server = await startServing(folder, environment)
    try {
      const asked = await askAll(server, blocks(section(readme, '## The API')))
      expect(asked).toBeGreaterThan(20)
    } finally {
      await server.stop()
    }
  })
  it('leaves a lake that reads as the data dictionary says', async () => {
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
    const [{ code }] = blocks(dictionary).filter(({ language }) => language === 'sql')
    const statements = code
      .replaceAll("'data/", `'${folder}/data/`)
      .split(/;\n/)
      .map((text) => text.trim())
    const select = statements.filter((text) => text !== '').pop() as string
    for (const statement of statements.filter((text) => text !== '' && text !== select))
      await database.run(statement)
    expect((await database.rows(select)).map(({ type }) => type)).toEqual(['cancel', 'purchase', 'ticket'])
    database.close()
  })

  it('leaves databases whose tables and columns the data dictionary explains', () => {
    const explained = codeWords(section(dictionary, '## Beside the lake'))
    const files = readdirSync(join(folder, 'data')).filter((name) => name.endsWith('.sqlite'))
    expect(files.sort()).toEqual(['my-shop.control.sqlite', 'my-shop.inbox.sqlite', 'server.sqlite'])
    for (const file of files) {
      const database = new Libsql(join(folder, 'data', file), { readonly: true })
      const tables = "select name from sqlite_master where type = 'table'"
      for (const { name: table } of database.prepare(tables).all() as { name: string }[]) {
        if (/^(sqlite|kysely)_/.test(table)) continue
        expect(explained, file).toContain(table)
        const columns = database.prepare(`select name from pragma_table_info('${table}')`).all()
        for (const { name } of columns as { name: string }[])
          expect(explained, `${table}.${name}`).toContain(name)
      }
      database.close()
    }
  })

  it('leaves commit records whose fields the data dictionary explains', () => {
    const commits = join(folder, 'data/my-shop/commits')
    const explained = codeWords(section(dictionary, '## A commit record'))
    for (const name of readdirSync(commits)) {
      const record = JSON.parse(readFileSync(join(commits, name), 'utf8'))
      const parts = [record, ...record.add, ...record.sources, ...record.predictions]
      for (const key of parts.flatMap((part) => Object.keys(part))) expect(explained, key).toContain(key)
    }
  })
})

/** A shortened line ends with …; figures may differ. */
function isShown(line: string, printed: string): boolean {
  const masked = (text: string) => text.trim().replaceAll(/\d+(\.\d+)?/g, '#')
  return line.endsWith('…')
    ? masked(printed).startsWith(masked(line.slice(0, -1)))
    : masked(printed) === masked(line)
}

/** What the README starts with `loyalcast serve`, on a free port. */
async function startServing(folder: string, environment: NodeJS.ProcessEnv) {
  const args = [join(root, 'bin/loyalcast.mjs'), 'serve', 'my-shop/program.yaml', '--port', '0', '--json']
  const own = { LOYALCAST_API_KEY: key, LOYALCAST_WEBHOOKS: 'off', INIT_CWD: folder }
  const child = spawn(process.execPath, args, {
    env: { ...environment, ...own },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /"url": "(.*)"/.exec(said)
      if (found) resolve(found[1])
    })
    child.on('close', (code) => reject(new Error(`serve ended with ${code}`)))
  })
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { url, folder, environment: { ...environment, ...own }, stop }
}

/** Runs every line of a section against a server. @returns how many requests there were */
async function askAll(
  { url, folder, environment }: Omit<Awaited<ReturnType<typeof startServing>>, 'stop'>,
  parts: readonly Block[],
): Promise<number> {
  const binary = `"${process.execPath}" "${join(root, 'bin/loyalcast.mjs')}"`
  const defined = [`curl() { command "${curl}" -sS --fail-with-body "$@"; }`]
  let asked = 0
  let output = ''
  for (const { language, code } of parts) {
    if (language === 'json') expectShape(JSON.parse(output), JSON.parse(code), code)
    if (language !== 'sh') continue
    for (const line of code.trim().split('\n')) {
      const command = line
        .replaceAll('http://127.0.0.1:3000', url)
        .replace('npm run --silent loyalcast --', binary)
      if (/^\w+=/.test(line)) defined.push(command)
      const script = [...defined, command].join('\n')
      const done = spawnSync('bash', ['-c', script], { cwd: folder, env: environment })
      output = done.stdout.toString()
      expect(done.status, `${line}\n${output}${done.stderr}`).toBe(0)
      if (line.startsWith('curl')) asked++
    }
  }
  return asked
}

/** Whether an answer has all that is shown, and of the same kind: figures may differ, and other fields may be there. */
function expectShape(answer: unknown, shown: unknown, where: string): void {
  if (shown === null) return
  expect(Array.isArray(answer) ? 'array' : typeof answer, where).toBe(
    Array.isArray(shown) ? 'array' : typeof shown,
  )
  if (typeof shown !== 'object') return
  for (const [name, value] of Object.entries(shown as object)) {
    expect(Object.keys(answer as object), where).toContain(name)
    expectShape((answer as Record<string, unknown>)[name], value, `${name} in ${where}`)
  }
}
