/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

/** A stage: everything from one FROM to the next. */
export interface Stage {
  /** Null: the last one, usually. */
  readonly name: string | null
  readonly instructions: readonly Instruction[]
}

export interface Copy {
  /** Stage it copies from; null: the checkout. */
  readonly from: string | null
  readonly sources: readonly string[]
  readonly target: string
}

/** Reads a Dockerfile without heredocs and variables, which ours does without. */
export function readDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const stages: { name: string | null; instructions: Instruction[] }[] = []
  for (const line of lines) {
    const [, name, rest] = line.match(/^\s*(\w+)\s+(.*)$/) ?? []
    if (name === 'FROM') stages.push({ name: rest.match(/ AS (\S+)/)?.[1] ?? null, instructions: [] })
    stages.at(-1)?.instructions.push({ name, text: rest.trim() })
  }
  return stages
}

/** What a stage copies, in order. */
export function copiesOf({ instructions }: Stage): Copy[] {
  return instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ text }) => {
      const words = text.split(/\s+/)
      const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length) ?? null
      const paths = words.filter((word) => !word.startsWith('--'))
      return { from, sources: paths.slice(0, -1), target: paths[paths.length - 1] }
    })
}

/** The values of an instruction in its JSON form, such as CMD. */
export function listOf({ instructions }: Stage, name: string): string[] {
  const found = instructions.find((instruction) => instruction.name === name)?.text ?? '[]'
  return JSON.parse(found.slice(found.indexOf('[')))
}
