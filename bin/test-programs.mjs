import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @typedef {object} TestProgram a program of the system that some tests drive
 * @property {string} name what `--without` and the names of test files call it: `*.chromium.test.ts`, `*.curl.jq.test.ts`
 * @property {string} title
 * @property {string} variable environment variable that names it, and hands it to the tests
 * @property {readonly string[]} commands looked for on the PATH, the best first
 * @property {readonly string[]} places looked in after the PATH
 * @property {Readonly<Record<string, readonly string[]>>} packages package manager → what to install
 */

/** @type {readonly TestProgram[]} */
export const testPrograms = [
  {
    name: 'chromium',
    title: 'Chromium',
    variable: 'CHROMIUM_PATH',
    commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    places: [
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
    // Without any font Chromium draws no text on a bare system.
    packages: {
      'apt-get': [isUbuntu() ? 'chromium-browser' : 'chromium', 'fonts-liberation'],
      dnf: ['chromium', 'liberation-fonts'],
      apk: ['chromium', 'font-liberation'],
      pacman: ['chromium', 'ttf-liberation'],
      zypper: ['chromium', 'liberation-fonts'],
      brew: ['--cask', 'google-chrome'],
    },
  },
  {
    name: 'redis',
    title: 'Redis',
    variable: 'REDIS_SERVER_PATH',
    commands: ['redis-server', 'valkey-server'],
    places: [],
    packages: {
      'apt-get': ['redis-server'],
      dnf: ['valkey'],
      apk: ['redis'],
      pacman: ['valkey'],
      zypper: ['redis'],
      brew: ['redis'],
    },
  },
  sameEverywhere('curl'),
  sameEverywhere('jq'),
]

/** A program that is called the same wherever it comes from. @returns {TestProgram} */
function sameEverywhere(name) {
  const packages = Object.fromEntries(
    ['apt-get', 'dnf', 'apk', 'pacman', 'zypper', 'brew'].map((manager) => [manager, [name]]),
  )
  return { name, title: name, variable: `${name.toUpperCase()}_PATH`, commands: [name], places: [], packages }
}

/** How each package manager installs without asking. `refresh` may fail: what it knows already may do. */
const managers = {
  'apt-get': {
    refresh: ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'update'],
    install: ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-y', '--no-install-recommends'],
  },
  dnf: { install: ['dnf', 'install', '-y'] },
  apk: { install: ['apk', 'add', '--no-cache'] },
  pacman: { refresh: ['pacman', '-Sy'], install: ['pacman', '-S', '--noconfirm', '--needed'] },
  zypper: { install: ['zypper', '--non-interactive', 'install', '--no-recommends'] },
  brew: { install: ['brew', 'install'] },
}

/** Ubuntu calls Chromium by another name than Debian. */
function isUbuntu() {
  return existsSync('/etc/os-release') && /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/**
 * Where a program lies: what its variable names, else the first on the PATH that starts.
 *
 * @param {TestProgram} program
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {{ path: string | null, from: string, broken: string[] }} `broken`: is there, but does not start
 */
export function findProgram(program, environment) {
  const named = environment[program.variable]
  if (named) return { path: starts(named) ? named : null, from: program.variable, broken: [named] }
  const broken = []
  for (const path of [...onPath(program.commands, environment), ...program.places.filter(isExecutable)]) {
    if (starts(path)) return { path, from: 'PATH', broken }
    broken.push(path)
  }
  return { path: null, from: 'PATH', broken }
}

/** Whether it can be run: some systems have a placeholder that only says how to install the real one. */
function starts(path) {
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 60_000 }).status === 0
}

function onPath(commands, environment) {
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return commands.flatMap((command) => folders.map((folder) => join(folder, command)).filter(isExecutable))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * How programs can be installed here.
 *
 * @param {readonly TestProgram[]} missing
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {{ line: string, steps: string[][] | null } | null} `line` is for a person; `steps` null: it needs rights that
 *   are not there. Null: no package manager is known.
 */
export function planInstallation(missing, environment) {
  const [manager] = Object.keys(managers).filter((name) => onPath([name], environment).length > 0)
  if (manager === undefined) return null
  const { refresh, install } = managers[manager]
  const plain = [
    ...(refresh ? [refresh] : []),
    ...(manager === 'brew'
      ? missing.map(({ packages }) => [...install, ...packages.brew])
      : [[...install, ...missing.flatMap(({ packages }) => packages[manager])]]),
  ]
  const sudo = (options) => plain.map((step) => ['sudo', ...options, ...step])
  const isOwn = manager === 'brew' || run(['id', '-u'], environment).output.trim() === '0'
  const hasSudo = !isOwn && run(['sudo', '-n', 'true'], environment).isDone
  const steps = isOwn ? plain : hasSudo ? sudo(['-n']) : null
  return { line: inShell(steps ?? sudo([])), steps }
}

/** The steps as one line of a shell, without what only keeps a machine from being asked. */
function inShell(steps) {
  return steps.map((step) => step.join(' ').replace('env DEBIAN_FRONTEND=noninteractive ', '')).join(' && ')
}

/**
 * Runs the steps. The last ones must succeed; that the package lists could not be refreshed need not matter.
 *
 * @returns {string | null} everything the steps said where it failed, else null
 */
export function install(steps, environment) {
  const said = steps.map((step) => ({ step, ...run(step, environment) }))
  const isDone = said.every(({ step, isDone }) => isDone || isRefresh(step))
  return isDone ? null : said.map(({ step, output }) => `$ ${step.join(' ')}\n${output}`).join('')
}

function isRefresh(step) {
  return Object.values(managers).some(({ refresh }) => refresh && step.join(' ').endsWith(refresh.join(' ')))
}

function run([command, ...args], environment) {
  const done = spawnSync(command, args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  const output = done.error ? `${done.error.message}\n` : `${done.stdout}${done.stderr}`
  return { isDone: done.status === 0, output }
}
