import type { Used } from './process-watch.ts'

/** What was measured of one command. */
export interface Row {
  readonly words: string
  readonly used: Used
  /** Rows or customers that it worked at. */
  readonly rows: number
}

export function printHead(): void {
  print(line(['', 'wall', 'processors', 'memory', 'read', 'written', 'rows/s']))
}

export function printRow({ words, used, rows }: Row): void {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`
  print(
    line([
      words,
      `${used.wallSeconds.toFixed(1)} s`,
      `${used.cpuSeconds.toFixed(1)} s`,
      gigabytes(used.peakBytes),
      gigabytes(used.readBytes),
      gigabytes(used.writtenBytes),
      String(Math.round(rows / used.wallSeconds)),
    ]),
  )
}

/** How many times as much a row took as another one of as many customers. */
export function printRatio(row: Row, own: Row): void {
  const times = (of: (used: Used) => number) => (of(row.used) / of(own.used)).toFixed(2)
  print(
    `${row.words}: ${times((used) => used.wallSeconds)} times our wall time, ${times((used) => used.cpuSeconds)} times our processors, ${times((used) => used.peakBytes)} times our memory (${own.words}).`,
  )
}

function line([words, ...cells]: readonly string[]): string {
  return `${words.padEnd(62)} ${cells.map((cell) => cell.padStart(11)).join(' ')}`
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
