import { type Document, isPair, isScalar, isSeq, parseDocument, Scalar, visit } from 'yaml'
import type { Problem } from './program-problems.ts'

/** Values of environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

const reference = /\$\$\{|\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?/g

/**
 * Fills `${NAME}` and `${NAME:-default}` in the text values of a YAML document, in place.
 *
 * It works on values that are already parsed, so that what a variable holds can't become structure. A value
 * that is one reference and nothing else may become a number or a boolean, as YAML writes them; in quotes it
 * stays text. The default holds where the variable is unset or empty. `$${` stands for `${`.
 */
export function fillReferences(document: Document, environment: Environment): Problem[] {
  const unfilled: Problem[] = []
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      const problems: string[] = []
      const filled = fillText(node.value, environment, problems)
      unfilled.push(...problems.map((message) => ({ path: pathOf([...ancestors, node]), message })))
      const isWhole = node.type === Scalar.PLAIN && /^\$\{[^}]*\}$/.test(node.value)
      node.value = isWhole && problems.length === 0 ? readScalar(filled) : filled
    },
  })
  return unfilled
}

function fillText(text: string, environment: Environment, problems: string[]): string {
  return text.replace(reference, (found, name: string | undefined, preset: string | undefined) => {
    if (found === '$${') return '${'
    if (name === undefined) {
      problems.push(
        `found \${ without a name; allowed: \${NAME} and \${NAME:-default}. For the text itself write $\${.`,
      )
      return found
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (preset !== undefined) return value || preset
    if (value === undefined) {
      problems.push(
        `the environment variable ${name} is not set. Set it, or give a default: \${${name}:-default}.`,
      )
    }
    return value ?? ''
  })
}

/** The keys and indexes that lead to the last of the nodes. */
function pathOf(nodes: readonly unknown[]): PropertyKey[] {
  return nodes.flatMap((node, depth): PropertyKey[] => {
    if (isPair(node)) return [isScalar(node.key) ? String(node.key.value) : String(node.key)]
    return isSeq(node) && depth + 1 < nodes.length ? [node.items.indexOf(nodes[depth + 1])] : []
  })
}

/** The number or boolean that the text is in YAML; else the text, as it is. */
function readScalar(text: string): unknown {
  const { contents, errors } = parseDocument(text, { schema: 'core', prettyErrors: false })
  const value = errors.length === 0 && isScalar(contents) ? contents.value : null
  return typeof value === 'number' || typeof value === 'boolean' ? value : text
}
