#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { createVitest, parseCLI } from 'vitest/node'
import { root } from './build.mjs'
import { findProgram, install, planInstallation, testPrograms } from './test-programs.mjs'

/*
 * npm test -- [--without chromium,redis] [arguments of vitest …]
 *
 * Runs the tests with the programs that they need. A file called *.chromium.test.ts needs Chromium, *.redis.test.ts
 * needs Redis, *.curl.jq.test.ts both curl and jq: what the selected files need is looked for, installed where it is
 * missing, and handed to them by its path in CHROMIUM_PATH, REDIS_SERVER_PATH, CURL_PATH or JQ_PATH.
 */
const names = testPrograms.map(({ name }) => name)
const { without, rest } = readArguments(process.argv.slice(2))

process.chdir(root)
const isHelp = rest.includes('--help') || rest.includes('-h')
if (isHelp) say(`npm test -- [--without ${names.join(',')}] [arguments of vitest …]`)
const files = isHelp ? [] : await selectedFiles(rest)
const needed = testPrograms.filter(({ name }) => files.some((file) => needs(file, name)))
const leftOut = files.filter((file) => without.some((name) => needs(file, name)))
if (leftOut.length > 0) say(`${countFiles(leftOut.length)} left out, for want of ${without.join(' and ')}.`)
const environment = providePrograms(needed.filter(({ name }) => !without.includes(name)))

const excluded = without.flatMap((name) => ['--exclude', `**/*.${name}.*test.ts`])
await runVitest(['run', ...excluded, ...rest], { ...process.env, ...environment })

/** Takes out `--without LIST`; everything else is vitest's. */
function readArguments(args) {
  const { tokens } = parseArgs({
    args,
    options: { without: { type: 'string', multiple: true } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const own = tokens.filter(({ kind, name }) => kind === 'option' && name === 'without')
  const taken = new Set(own.flatMap(({ index, inlineValue }) => (inlineValue ? [index] : [index, index + 1])))
  const asked = own.flatMap(({ value }) => (value ?? '').split(',').map((name) => name.trim()))
  const unknown = asked.find((name) => !names.includes(name))
  if (unknown !== undefined)
    fail(
      `--without ${unknown || 'nothing'}: it takes one or more of ${names.join(', ')}, with commas in between.`,
    )
  return { without: [...new Set(asked)], rest: args.filter((_, index) => !taken.has(index)) }
}

/** The test files that vitest would run with these arguments. What is wrong with them, vitest will say itself. */
async function selectedFiles(args) {
  const parsed = parseCLI(['vitest', 'run', ...args], { allowUnknownOptions: true })
  const { exclude = [], ...options } = parsed.options
  const cliExclude = [exclude].flat()
  const vitest = await createVitest('test', { ...options, cliExclude, watch: false, reporters: [] })
  try {
    return (await vitest.globTestSpecifications(parsed.filter)).map(({ moduleId }) => moduleId)
  } finally {
    await vitest.close()
  }
}

function needs(file, name) {
  return file.endsWith('.test.ts') && basename(file).split('.').slice(1, -2).includes(name)
}

/** Finds or installs programs. @returns the environment variables that name them. */
function providePrograms(programs) {
  const missing = programs.filter((program) => !tellWhere(program))
  if (missing.length > 0) installPrograms(missing)
  return Object.fromEntries(
    programs.map((program) => [program.variable, findProgram(program, process.env).path]),
  )
}

/** Says where a program is; false where it is not there yet. */
function tellWhere(program) {
  const { path, from, broken } = findProgram(program, process.env)
  if (path !== null) say(`${program.title} for the tests: ${path} (${from}).`)
  else if (from === program.variable)
    fail(
      `${program.variable} is ${broken[0]}, which does not start. Unset it to have ${program.title} found.`,
    )
  else for (const found of broken) say(`${found} is there, but does not start.`)
  return path !== null
}

function installPrograms(missing) {
  const titles = missing.map(({ title }) => title).join(' and ')
  const plan = planInstallation(missing, process.env)
  const looked = missing.flatMap(({ commands }) => commands).join(', ')
  const otherwise = `or run the others: npm test -- --without ${missing.map(({ name }) => name).join(',')}`
  const variables = missing.map(({ variable }) => variable).join(', ')
  say(`Some tests need ${titles}; none of ${looked} is on the PATH.`)
  if (plan === null)
    fail(`No package manager was found. Install ${titles} and name the path in ${variables}, ${otherwise}`)
  if (plan.steps === null)
    fail(`It cannot be installed from here: that needs root, or sudo without a password. Run this, then npm test again:
  ${plan.line}
${otherwise}`)
  say(`Installing with: ${plan.line}`)
  const said = install(plan.steps, process.env)
  const absent = missing.filter((program) => findProgram(program, process.env).path === null)
  if (said !== null || absent.length > 0) {
    process.stderr.write(said ?? '')
    fail(`${titles} could not be installed. Put it right by hand:\n  ${plan.line}\n${otherwise}`)
  }
  for (const program of missing) tellWhere(program)
}

/** Runs vitest in a process of its own, passes signals on, and ends as it ends. */
async function runVitest(args, env) {
  const folder = dirname(createRequire(import.meta.url).resolve('vitest/package.json'))
  const child = spawn(process.execPath, [join(folder, 'vitest.mjs'), ...args], { stdio: 'inherit', env })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals)
    process.on(signal, () => {
      // A terminal interrupts the whole group itself; a second interruption would cut vitest short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (...ended) => resolve(ended))
  })
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

function countFiles(count) {
  return count === 1 ? '1 test file is' : `${count} test files are`
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`)
}

function fail(sentence) {
  say(sentence)
  process.exit(1)
}
