import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkout } from './commands.ts'

const mostFileLines = 300
const mostFunctionLines = 50

const folders = ['src', 'training', 'bench', 'test']

/** A stretch of code and how many lines it has, blank ones not counted within functions. */
interface Stretch {
  readonly place: string
  readonly lines: number
}

/** `npm run budgets`: files and functions beyond the budgets, and the medians. Tests and lint hold what must hold. */
export async function main(): Promise<void> {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(folder, name)),
  )
  const files: Stretch[] = []
  const functions: Stretch[] = []
  for (const path of paths.sort()) {
    const lines = readFileSync(join(checkout, path), 'utf8').trimEnd().split('\n')
    files.push({ place: path, lines: lines.length })
    if (!path.startsWith('test')) functions.push(...findFunctions(path, lines))
  }
  report('files', files, mostFileLines)
  report('functions', functions, mostFunctionLines)
}

/** Where a named function, a method or a named arrow function starts, in code laid out by the formatter. */
const starts = [
  /^\s*(?:export )?(?:default )?(?:async )?function\b\*?\s*(?<name>\w+)/,
  /^\s*(?:export )?const (?<name>\w+)(?::[^=]+)? = (?:async )?(?:<[^(]*>)?\(.*(?:=>|\()/,
  /^ {2}(?!if|for|while|switch|catch|return|await|throw)(?:static |private |override |async |get |set |\*)*(?<name>[#\w]+)(?:<.*>)?\(.*(?:\{|\()$/,
]

const opens = /(\{|\(|=>)$/

/** Functions and their lengths. A function ends on the first line as far left as its start that opens nothing. */
function findFunctions(path: string, lines: readonly string[]): Stretch[] {
  return lines.flatMap((line, first) => {
    const name = starts.map((start) => line.match(start)?.groups?.name).find(Boolean)
    if (!name) return []
    const indent = line.search(/\S/)
    const isEnd = (text: string) => /\S/.test(text) && text.search(/\S/) <= indent && !opens.test(text)
    const length = opens.test(line) ? lines.slice(first + 1).findIndex(isEnd) + 2 : 1
    const own = lines.slice(first, first + length).filter((text) => /\S/.test(text))
    return [{ place: `${path}:${first + 1} ${name}`, lines: own.length }]
  })
}

/** Prints the median and what is over the budget. */
function report(what: string, all: readonly Stretch[], most: number): void {
  const over = all.filter(({ lines }) => lines > most).toSorted((a, b) => b.lines - a.lines)
  const sorted = all.map(({ lines }) => lines).sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  const lines = [
    `${all.length} ${what}, median ${median} lines, ${over.length} over ${most}.`,
    ...over.map((stretch) => `  ${String(stretch.lines).padStart(4)} ${stretch.place}`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
