/** What the API answered instead of a result: a problem document (RFC 9457), or no answer at all (status 0). */
export class ApiProblem extends Error {
  constructor({ status, title, detail, type = '' }) {
    super(detail)
    this.status = status
    this.title = title
    this.code = type.split(':').at(-1)
  }
}

/**
 * Reads an address of the API, relative to the page.
 *
 * **Errors** {@link ApiProblem}.
 */
export async function readApi(path, key) {
  let response
  try {
    response = await fetch(path, { headers: { authorization: `Bearer ${key}` } })
  } catch {
    throw new ApiProblem({ status: 0, title: 'The server does not answer', detail: 'Is it still running?' })
  }
  const body = await response.json().catch(() => ({}))
  if (response.ok) return body
  const { title = 'The server answered with an error', detail = `Status ${response.status}.`, type } = body
  throw new ApiProblem({ status: response.status, title, detail, type })
}
