import { isAbsolute, join } from 'node:path'

/** SQL whose relative file paths were made absolute, and the files it reads. */
export interface LocatedSql {
  readonly sql: string
  /**
   * The files and glob patterns it reads, absolute. Empty where they cannot *all* be told (a path that is
   * computed or remote): then nothing says whether the input has changed, and it must be read again.
   */
  readonly files: readonly string[]
}

/** A string literal of a SQL text that is the path of a file to read. */
interface PathLiteral {
  readonly start: number
  readonly end: number
  readonly path: string
}

const readers = new Set(
  `read_csv read_csv_auto read_parquet parquet_scan read_json read_json_auto read_ndjson read_ndjson_auto
   read_json_objects read_text glob`.split(/\s+/),
)
const clauses = new Set(
  'select where group having order limit offset qualify window union except intersect values set'.split(' '),
)
const relationStarts = new Set(['from', 'join', ',', 'lateral'])

/** Where a file of the program lies: `path` itself, or within `folder` where it is relative. */
export function absolutePath(path: string, folder: string): string {
  return isAbsolute(path) || isRemote(path) || path.startsWith('~') ? path : join(folder, path)
}

/**
 * Makes the relative paths that a DuckDB select reads start at `folder`.
 *
 * A path is a string literal that is the first argument of a reader such as `read_csv` (or an element of
 * the list given there), or stands for a table after `from` or `join`. Everything else stays as it is, to
 * the letter: other literals, comments, quoted identifiers, absolute and remote paths.
 *
 * ```ts
 * absolutePaths("from read_csv('a.csv')", '/data') // { sql: "from read_csv('/data/a.csv')", files: ['/data/a.csv'] }
 * ```
 */
export function absolutePaths(sql: string, folder: string): LocatedSql {
  const { literals, isComplete } = pathLiterals(sql)
  const files = literals.map(({ path }) => absolutePath(path, folder))
  const canTell = isComplete && !files.some(isRemote)
  return {
    sql: replaceLiterals(sql, literals, (path) => absolutePath(path, folder)),
    files: canTell ? [...new Set(files)] : [],
  }
}

/** The SQL with its paths emptied and lists of paths made one: what it does, whichever files it reads. */
export function blankPaths(sql: string): string {
  const blank = replaceLiterals(sql, pathLiterals(sql).literals, () => '')
  return blank.replace(/\[\s*''(?:\s*,\s*'')*\s*\]/g, "''")
}

function isRemote(path: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(path)
}

function replaceLiterals(
  sql: string,
  literals: readonly PathLiteral[],
  edit: (path: string) => string,
): string {
  let text = ''
  let position = 0
  for (const { start, end, path } of literals) {
    const edited = edit(path)
    text += sql.slice(position, start)
    text += edited === path ? sql.slice(start, end) : `'${edited.replaceAll("'", "''")}'`
    position = end
  }
  return text + sql.slice(position)
}

/** An open bracket, or the whole text, and what was seen since it opened. */
interface Frame {
  readonly opener: '' | '(' | '['
  /** The reader whose first argument this is the start of. */
  readonly isReader: boolean
  isQuery: boolean
  /** Between a `from` and the next clause. */
  isFrom: boolean
}

/** What a string literal would be at this place. */
type Expected = 'file' | 'table' | 'text'

function pathLiterals(sql: string): { literals: PathLiteral[]; isComplete: boolean } {
  const frames: Frame[] = [{ opener: '', isReader: false, isQuery: true, isFrom: false }]
  const literals: PathLiteral[] = []
  let isComplete = true
  let expected: Expected = 'text'
  let recent: readonly [string, string] = ['', '']
  for (const { text, start } of tokensOf(sql)) {
    const path = isLiteral(text) ? text.slice(1, -1).replaceAll("''", "'") : null
    const isPath = !!path && (expected === 'file' || (expected === 'table' && /[./*]/.test(path)))
    if (isPath) literals.push({ start, end: start + text.length, path })
    const isComputed = expected === 'file' && !isPath && text !== '['
    if (isComputed || (text === '|' && recent[1] === 'path')) isComplete = false
    expected = path === null ? advance(frames, text.toLowerCase(), recent) : 'text'
    recent = [recent[1], isPath ? 'path' : text.toLowerCase()]
  }
  return { literals, isComplete }
}

/** Takes a token that is no literal into account; returns what a literal right after it would be. */
function advance(frames: Frame[], word: string, [before, previous]: readonly [string, string]): Expected {
  const frame = frames.at(-1)!
  if (word === '(' || word === '[') return open(frames, word, [before, previous])
  if ((word === ')' || word === ']') && frames.length > 1) frames.pop()
  else if (word === ',')
    return frame.opener === '[' && frame.isReader ? 'file' : frame.isFrom ? 'table' : 'text'
  else if (word === 'join') frame.isFrom = true
  else if (word === 'from') return enterFrom(frame, previous) ? 'table' : 'text'
  else if (clauses.has(word)) {
    frame.isFrom = false
    frame.isQuery ||= word === 'select'
  }
  return word === 'join' ? 'table' : 'text'
}

function open(frames: Frame[], opener: '(' | '[', [before, previous]: readonly [string, string]): Expected {
  const outer = frames.at(-1)!
  const isCall = readers.has(previous) && (previous !== 'glob' || relationStarts.has(before))
  const isReader = opener === '(' ? isCall : outer.opener === '(' && outer.isReader && previous === '('
  frames.push({ opener, isReader, isQuery: false, isFrom: false })
  return isReader ? 'file' : 'text'
}

/** False for the other uses of the word: `is distinct from`, `extract(year from …)`. */
function enterFrom(frame: Frame, previous: string): boolean {
  if (previous === 'distinct') return false
  frame.isQuery ||= previous === '('
  frame.isFrom = frame.isQuery
  return frame.isQuery
}

const tokenPattern = new RegExp(
  [
    /--[^\n]*/, // a comment to the end of the line
    /\/\*/, // the start of a comment: see commentEnd
    /"[^"]*(?:""[^"]*)*"?/, // a quoted identifier
    /\$((?:[a-z_]\w*)?)\$.*?(?:\$\1\$|$)/, // a dollar-quoted text
    /e'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'?/, // a text with backslash escapes
    /'[^']*(?:''[^']*)*'?/, // a text
    /[\p{L}_][\p{L}\p{N}_$]*/u, // a word
    /\d[\w.]*/, // a number
    /\s+/,
    /./,
  ]
    .map(({ source }) => source)
    .join('|'),
  'giusy',
)

/** The tokens of a SQL text without its blanks and comments; a comment may hold comments. */
function* tokensOf(sql: string): Generator<{ text: string; start: number }> {
  let start = 0
  while (start < sql.length) {
    tokenPattern.lastIndex = start
    const text = tokenPattern.exec(sql)![0]
    const end = text === '/*' ? commentEnd(sql, start) : start + text.length
    if (text !== '/*' && !text.startsWith('--') && text.trim() !== '') yield { text, start }
    start = end
  }
}

function commentEnd(sql: string, start: number): number {
  let depth = 0
  for (const mark of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return start + mark.index + 2
  }
  return sql.length
}

function isLiteral(text: string): boolean {
  return /^'[^']*(?:''[^']*)*'$/.test(text)
}
