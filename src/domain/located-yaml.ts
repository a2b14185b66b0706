import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import { type LoyalcastError, usageError } from './errors.ts'
import { type Problem, placeOf } from './program-problems.ts'

/** A YAML text and errors that know its lines. */
export interface LocatedYaml {
  readonly document: Document
  /** What the document holds now, as plain values. */
  readonly values: () => unknown
  /** One error for all the problems, each with file, line and place. */
  readonly error: (code: string, problems: readonly Problem[]) => LoyalcastError
}

/** Reads a YAML text. **Errors** `program-syntax`, with all of its places. */
export function readYaml(text: string, path: string): LocatedYaml {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, schema: 'core', prettyErrors: false })
  const broken = syntaxErrors(document).map(({ message, offset }) => {
    const { line, col } = lines.linePos(offset)
    return `line ${line}, column ${col}: not valid YAML. ${message.replace(/\.?$/, '.')}${referenceHint(text, line)}`
  })
  if (broken.length > 0) throw usageError('program-syntax', listSentences(path, broken))
  const error = (code: string, problems: readonly Problem[]) => {
    const placed = problems.map((problem) => ({ ...problem, offset: offsetOf(document, problem.path) }))
    const sentences = placed
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, path, message }) => {
        const places = [`line ${lines.linePos(offset).line}`, placeOf(path)]
        return `${places.filter(Boolean).join(', ')}: ${message}`
      })
    return usageError(code, listSentences(path, sentences))
  }
  return { document, error, values: () => plainValues(document, path) }
}

/** Repeated keys and unknown aliases up to the first error of structure: those after it only follow from it. */
function syntaxErrors(document: Document.Parsed): { message: string; offset: number }[] {
  const found = [...document.errors, ...document.warnings].map(({ code, message, pos }) => {
    return { isRepeatedKey: code === 'DUPLICATE_KEY', message, offset: pos[0] }
  })
  const first = found.findIndex(({ isRepeatedKey }) => !isRepeatedKey)
  if (first >= 0) return found.slice(0, first + 1)
  visit(document, {
    Alias(_, node) {
      if (node.resolve(document)) return
      const message = `*${node.source} stands for nothing: no &${node.source} comes before it`
      found.push({ isRepeatedKey: false, message, offset: node.range?.[0] ?? 0 })
    },
  })
  return found
}

function plainValues(document: Document, path: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw usageError('program-syntax', listSentences(path, [`not valid YAML. ${message}.`]), { cause })
  }
}

function listSentences(path: string, sentences: readonly string[]): string {
  if (sentences.length === 1) return `${path}, ${sentences[0]}`
  return [`${path} has ${sentences.length} problems:`, ...sentences.map((sentence) => `- ${sentence}`)].join(
    '\n',
  )
}

/** A reference holds braces, which end a map or list that is written in braces or brackets. */
function referenceHint(text: string, line: number): string {
  const around = text.split('\n').slice(Math.max(0, line - 2), line)
  if (!around.some((it) => /[{[,:].*\$\{/.test(it))) return ''
  return ' Inside { } and [ ] a reference must stand in quotes, as text; for a number, write the map without braces.'
}

/** Where the key or item at `path` starts, or the nearest place around it that exists. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents
  let offset = 0
  for (const step of path) {
    const around: unknown = isAlias(node) ? node.resolve(document) : node
    const pair = isMap(around) ? around.items.find(({ key }) => nameOf(key) === String(step)) : undefined
    const start = pair ? pair.key : isSeq(around) ? around.items[Number(step)] : undefined
    node = pair ? pair.value : start
    offset = rangeStart(start) ?? offset
  }
  return offset
}

/** How `toJS` calls a key. */
function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key)
}

function rangeStart(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range
  return range?.[0]
}
