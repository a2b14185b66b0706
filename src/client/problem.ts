import type { components } from './openapi.ts'

/** The body of every answer that is no result (RFC 9457). */
export type ProblemDocument = components['schemas']['Problem']

/** An answer that is no result. The message says what was seen and what is allowed. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  /** Of the answer, in HTTP. */
  readonly status: number
  /** Stable, such as `no-predictions`; empty where the answer is not one of the API's own, but of a proxy, say. */
  readonly code: string
  /** The same words for every problem of the code. */
  readonly title: string
  /** What is wrong with which parameter. */
  readonly errors: NonNullable<ProblemDocument['errors']>
  /** By which the server's log tells of it; null where it did not get that far. */
  readonly requestId: string | null

  constructor(response: Response, body: unknown) {
    const document = isObject(body) ? (body as Partial<ProblemDocument>) : {}
    super(document.detail ?? `The server answered with status ${response.status}.`)
    this.status = response.status
    this.code = document.type?.split(':').at(-1) ?? ''
    this.title = document.title ?? 'The server answered with an error'
    this.errors = document.errors ?? []
    this.requestId = document.request_id ?? response.headers.get('x-request-id')
  }
}

/** The server gave no answer, also not when it was asked again. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly title = 'The server does not answer'

  constructor(cause: unknown) {
    super('Is it still running, and can it be reached from here?', { cause })
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
