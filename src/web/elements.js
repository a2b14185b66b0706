/**
 * Makes an element. Children are elements or texts; a text is only ever a text, whatever it holds.
 *
 * ```js
 * element('p', { class: 'hint' }, 'Since ', element('b', {}, day))
 * ```
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value)
  made.append(...children.filter((child) => child !== null && child !== ''))
  return made
}

/** A part of the page under a heading, which names it for screen readers. */
export function card(id, heading, ...children) {
  return element(
    'section',
    { class: 'card', 'aria-labelledby': `${id}-title`, id },
    element('h2', { id: `${id}-title` }, heading),
    ...children,
  )
}

/**
 * A table. Each column has a `label`, `cell(row)`, which gives what stands in it, and may be a `number`; the first one
 * heads its row. On narrow screens rows become blocks that repeat the labels.
 */
export function table(columns, rows) {
  const side = ({ number }) => (number ? 'number' : null)
  const head = columns.map((column) => element('th', { scope: 'col', class: side(column) }, column.label))
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      ...columns.map((column, place) => {
        const given = [column.cell(row)].flat()
        if (place === 0) return element('th', { scope: 'row' }, ...given)
        return element(
          'td',
          { class: side(column), 'data-label': column.label },
          element('div', {}, ...given),
        )
      }),
    ),
  )
  return element(
    'div',
    { class: 'table' },
    element(
      'table',
      { class: 'stacked' },
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...body),
    ),
  )
}
