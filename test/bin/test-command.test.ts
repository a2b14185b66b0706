import { spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** A checkout with a test that needs nothing, one that needs Chromium and one that needs Redis. */
const files = {
  'package.json': '{ "type": "module" }',
  'vitest.config.ts': configOf('test/**/*.test.ts'),
  'slow.config.ts': configOf('slow/**'),
  'test/plain.test.ts': "import { it } from 'vitest'\nit('needs nothing', () => {})\n",
  'test/page.chromium.test.ts': startsAs('CHROMIUM_PATH', 'Chromium 1.2'),
  'test/queue.redis.test.ts': startsAs('REDIS_SERVER_PATH', 'Redis 3.4'),
  'slow/waits.test.ts':
    "import { it } from 'vitest'\nit('waits', () => new Promise(() => setInterval(() => {}, 1e6) && console.log('waiting')))\n",
}

/** One process for all tests: starting them is what takes the time. */
function configOf(include: string): string {
  return `export default { test: { include: ['${include}'], testTimeout: 0, pool: 'threads', maxWorkers: 1, isolate: false } }`
}

/** A test that runs what a variable names. */
function startsAs(variable: string, version: string): string {
  return `import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
it('starts ${version}', () => {
  const path = process.env.${variable} ?? 'not named'
  expect(String(execFileSync(path, ['--version']))).toBe('${version}\\n')
})
`
}

let project: string
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'loyalcast-test-command-'))
  for (const name of ['build.mjs', 'test.mjs', 'test-programs.mjs'])
    await cp(join(root, 'bin', name), join(project, 'bin', name))
  await mkdir(join(project, 'node_modules'))
  await symlink(join(root, 'node_modules/vitest'), join(project, 'node_modules/vitest'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, name)), { recursive: true })
    await writeFile(join(project, name), text)
  }
})
afterAll(() => rm(project, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly said: string
  /** Calls of the machine's own programs, in order. */
  readonly calls: string[]
}

interface Machine {
  /** Programs on the PATH: name → shell commands that run after the call was written down. */
  readonly programs?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** Stop with SIGTERM once this was said. */
  readonly stopAt?: string
}

let machines = 0

/** Runs the test command on a machine that has nothing on its PATH but these programs. */
async function npmTest(args: readonly string[], machine: Machine = {}): Promise<Ended> {
  const folder = join(project, `machine-${++machines}`)
  await mkdir(folder)
  const log = join(folder, 'calls')
  await writeFile(log, '')
  await symlink('/usr/bin/env', join(folder, 'env'))
  for (const [name, script] of Object.entries(machine.programs ?? {})) {
    const told = name in versions ? '' : `echo "${name} $*" >> ${log}\n`
    await writeFile(join(folder, name), `#!/bin/sh\n${told}cd ${folder}\n${script}\n`)
    await chmod(join(folder, name), 0o755)
  }
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|TEST$|NODE_ENV|HOME$|CHROMIUM_|REDIS_)/.test(name),
  )
  const child = spawn(process.execPath, [join(project, 'bin/test.mjs'), ...args], {
    env: { ...Object.fromEntries(inherited), PATH: folder, NO_COLOR: '1', ...machine.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (machine.stopAt && text.includes(machine.stopAt)) child.kill('SIGTERM')
    })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const calls = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '')
  return { code, said, calls: calls.map((line) => line.replace('chromium-browser', 'chromium')) }
}

const versions: Readonly<Record<string, string>> = {
  chromium: 'echo Chromium 1.2',
  'google-chrome': 'echo Chromium 1.2',
  'redis-server': 'echo Redis 3.4',
  'valkey-server': 'echo Redis 3.4',
}
const pick = (...names: string[]) => Object.fromEntries(names.map((name) => [name, versions[name]]))

/** A package manager that writes the programs it is asked for next to itself. */
const installing = `case "$*" in *install*)
  for name in chromium redis-server; do
    case "$*" in *$name*) printf '#!/bin/sh\\n' > $name
      [ $name = chromium ] && echo 'echo Chromium 1.2' >> $name || echo 'echo Redis 3.4' >> $name
      /bin/chmod +x $name ;; esac
  done ;; esac`
const install = 'install -y --no-install-recommends chromium fonts-liberation redis-server'

describe('npm test', () => {
  it('hands tests the programs that are there: named by a variable, or on the PATH under any of their names', async () => {
    const programs = pick('google-chrome', 'valkey-server')
    const found = await npmTest([], { programs })
    expect(found).toMatchObject({ code: 0, calls: [] })
    expect(found.said).toMatch(/Chromium for the tests: .*google-chrome \(PATH\)\./)
    expect(found.said).toMatch(/Redis for the tests: .*valkey-server \(PATH\)\./)
    expect(found.said).toContain('3 passed')

    const elsewhere = join(project, 'own-chromium')
    await writeFile(elsewhere, '#!/bin/sh\necho Chromium 1.2\n', { mode: 0o755 })
    const environment = { CHROMIUM_PATH: elsewhere }
    const named = await npmTest(['chromium'], { environment })
    expect(named).toMatchObject({ code: 0, calls: [] })
    expect(named.said).toContain(`Chromium for the tests: ${elsewhere} (CHROMIUM_PATH).`)
  })

  it('refuses a variable that names nothing that starts', async () => {
    const environment = { REDIS_SERVER_PATH: '/proc/redis-server' }
    const { code, said } = await npmTest([], { programs: pick('chromium', 'redis-server'), environment })
    expect([code, said]).toEqual([1, expect.stringContaining('REDIS_SERVER_PATH is /proc/redis-server')])
    expect(said).not.toContain('RUN')
  })

  it('installs what is missing: directly as root', async () => {
    const programs = { id: 'echo 0', 'apt-get': installing }
    const { code, said, calls } = await npmTest([], { programs })
    expect(calls).toEqual(['id -u', 'apt-get update', `apt-get ${install}`])
    expect(said).toMatch(/Some tests need Chromium and Redis; none of chromium, .* is on the PATH\./)
    expect(said).toMatch(/Installing with: apt-get update && apt-get install -y/)
    expect(code, said).toBe(0)
    expect(said).toContain('3 passed')
  })

  it('installs what is missing: through sudo where that asks for no password', async () => {
    const programs = { id: 'echo 1000', sudo: 'shift; "$@"', true: 'exit 0', 'apt-get': installing }
    const { code, said, calls } = await npmTest(['redis'], { programs: { ...programs, ...pick('chromium') } })
    const env = 'env DEBIAN_FRONTEND=noninteractive apt-get'
    expect(calls.filter((call) => call.startsWith('sudo'))).toEqual([
      'sudo -n true',
      `sudo -n ${env} update`,
      `sudo -n ${env} install -y --no-install-recommends redis-server`,
    ])
    expect(code, said).toBe(0)
  })

  it('replaces a placeholder that does not start, and goes on where only the package lists cannot be refreshed', async () => {
    const aptGet = `[ "$1" = update ] && exit 100\n${installing}`
    const programs = { id: 'echo 0', 'apt-get': aptGet, 'redis-server': 'exit 10' }
    const { code, said } = await npmTest(['redis'], { programs })
    expect(said).toMatch(/redis-server is there, but does not start\./)
    expect(code, said).toBe(0)
  })

  it('prints the line to run where it may not install, or knows no package manager', async () => {
    const refused = { id: 'echo 1000', sudo: 'exit 1', 'apt-get': installing }
    const asked = await npmTest([], { programs: refused })
    expect(asked.code).toBe(1)
    expect(asked.said).toMatch(
      /\n {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium/,
    )
    expect(asked.said).toContain('npm test -- --without chromium,redis\n')
    expect(asked.calls).toEqual(['id -u', 'sudo -n true'])

    const bare = await npmTest([])
    expect(bare.code).toBe(1)
    expect(bare.said).toMatch(
      /No package manager .* CHROMIUM_PATH, REDIS_SERVER_PATH, or run the others: npm test -- --without chromium,redis\n/,
    )
    expect(bare.said).not.toContain('RUN')
  })

  it('shows what the package manager said where it failed, or did not bring the program', async () => {
    const programs = { id: 'echo 0', 'apt-get': '[ "$1" = update ] && exit 0\necho no space left; exit 100' }
    const failed = await npmTest(['redis'], { programs })
    expect(failed.code).toBe(1)
    expect(failed.said).toMatch(/\$ .*apt-get install .*\nno space left\nRedis could not be installed\./)
    const idle = await npmTest(['redis'], { programs: { id: 'echo 0', apk: 'exit 0' } })
    expect(idle.calls).toEqual(['id -u', 'apk add --no-cache redis'])
    expect([idle.code, idle.said]).toEqual([1, expect.stringContaining('Redis could not be installed.')])
  })

  it('runs without programs when told to, and says how many files that leaves out', async () => {
    const one = await npmTest(['--without', 'redis'], { programs: pick('chromium') })
    expect(one.said).toContain('1 test file is left out, for want of redis.')
    expect(one.said).toContain('2 passed')
    expect(one.code, one.said).toBe(0)
    const both = await npmTest(['--without=redis,chromium'])
    expect(both.said).toContain('2 test files are left out, for want of redis and chromium.')
    expect(both.said).toContain('1 passed')
    expect(both.code, both.said).toBe(0)
  })

  it.each(['--without firefox', '--without=redis,', '--without'])('refuses %s', async (line) => {
    const { code, said } = await npmTest(line.split(' '))
    expect([code, said]).toEqual([1, expect.stringMatching(/it takes one or more of chromium, redis/)])
  })

  it('needs nothing where the selected tests need nothing, and hands the other arguments to vitest', async () => {
    const results = join(project, 'results.json')
    const args = ['plain', '--reporter=json', `--outputFile.json=${results}`]
    const { code, calls } = await npmTest(args)
    expect([code, calls]).toEqual([0, []])
    expect(JSON.parse(await readFile(results, 'utf8'))).toMatchObject({ numPassedTests: 1 })
  })

  it('ends as the tests end: failed, or stopped by a signal that leaves nothing running', async () => {
    const wrong = { programs: { chromium: 'echo Lynx' } }
    expect(await npmTest(['chromium'], wrong)).toMatchObject({ code: 1 })
    const slow = ['--config', 'slow.config.ts', '--disableConsoleIntercept']
    // Resolves only when every process that holds its output is gone.
    const stopped = await npmTest(slow, { stopAt: 'waiting' })
    expect(stopped.said).toContain('waiting')
    expect(stopped.code).not.toBe(0)
  })
})
