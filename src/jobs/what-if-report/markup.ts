/** Text of HTML that may stand in a page as it is. */
export interface Markup {
  readonly markup: string
}

/** What a template takes: texts are escaped, markup stands as it is, lists are joined, null is nothing. */
export type Part = Markup | string | number | null | readonly Part[]

/** A template of HTML. Every text that is put into it is escaped: names and customer ids are data. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const [first, ...rest] = strings
  return { markup: first + rest.map((text, index) => textOf(parts[index]) + text).join('') }
}

function textOf(part: Part): string {
  if (part === null) return ''
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
  return 'markup' in part ? part.markup : part.map(textOf).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character])
}
