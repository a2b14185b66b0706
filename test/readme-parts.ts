import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

export const root = join(import.meta.dirname, '..')
export const readme = readFileSync(join(root, 'README.md'), 'utf8')
export const dictionary = readFileSync(join(root, 'data/README.md'), 'utf8')

/** Text from a heading to the next one of its level. */
export function section(text: string, heading: string): string {
  const level = heading.match(/^#+/)?.[0] ?? ''
  const start = text.indexOf(`\n${heading}\n`)
  expect(start, `${heading} is there`).toBeGreaterThan(-1)
  const rest = text.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}

/** A block of code: language, file name where one stands beside it, text. */
export interface Block {
  readonly language: string
  readonly file: string
  readonly code: string
}

/** Code blocks in order. */
export function blocks(text: string): Block[] {
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, file, code]) => ({
    language,
    file: file ?? '',
    code,
  }))
}

/** Everything in backticks, `\|` unescaped. */
export function codeWords(text: string): Set<string> {
  return new Set([...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word.replaceAll('\\|', '|')))
}
