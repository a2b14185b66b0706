import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { ApiDocument, Operation } from './document.ts'
import type { Sent } from './requests.ts'

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
}

/** Says what an answer has that the document does not allow. */
export class AnswerCheck {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true })

  constructor(document: ApiDocument) {
    addFormats.default(this.#ajv)
    this.#ajv.addSchema({ ...document, $id: 'document.json' }, undefined, undefined, false)
  }

  /** Null: nothing. */
  findWrong(operation: Operation, sent: Sent, got: Got): string | null {
    const { status, headers } = got
    const response = operation.responses[status]
    if (response === undefined) return `the status ${status} is not documented`
    if (status === 500) return 'an internal error'
    if (sent.hasSurplus && status < 400) return 'an unknown parameter is taken'
    if (headers['x-request-id'] === undefined) return 'there is no x-request-id'
    const type = String(headers['content-type'] ?? '').split(';', 1)[0]
    const documented = Object.keys(response.content ?? {})
    if (documented.length === 0)
      return got.bytes.length === 0 ? null : `a body of type ${type}, documented is none`
    if (!documented.includes(type))
      return `the type ${type || 'of nothing'}, documented is ${documented.join(', ')}`
    if (status >= 400)
      return this.#wrongProblem(operation, got) ?? this.#wrongBody(operation, status, { type, got })
    return this.#wrongBody(operation, status, { type, got })
  }

  #wrongBody(operation: Operation, status: number, { type, got }: { type: string; got: Got }): string | null {
    const text = got.bytes.toString('utf8')
    if (type === 'application/x-ndjson')
      return text.split('\n').every((line) => line === '' || isJson(line)) ? null : 'a line that is no JSON'
    if (!type.endsWith('json')) return null
    if (!isJson(text)) return `a body that is no JSON: ${text.slice(0, 200)}`
    const validate = this.#validatorOf(operation, status, type)
    return validate(JSON.parse(text)) ? null : `a body that its schema does not allow: ${reasonOf(validate)}`
  }

  /** What an example of an answer has that its schema does not allow; null: nothing. */
  wrongExample(
    operation: Operation,
    { status, type, example }: { status: string; type: string; example: unknown },
  ): string | null {
    const validate = this.#validatorOf(operation, Number(status), type)
    return validate(example) ? null : reasonOf(validate)
  }

  #wrongProblem({ responses }: Operation, { status, headers, bytes }: Got): string | null {
    const problem = JSON.parse(bytes.toString('utf8'))
    if (problem.status !== status) return `the problem has the status ${problem.status}`
    if (problem.request_id !== headers['x-request-id']) return 'the problem has another request_id'
    const code = /^urn:loyalcast:problem:([a-z-]+)$/.exec(problem.type)?.[1]
    if (code === undefined) return `the problem has the type ${problem.type}`
    const codes = [...responses[status].description.matchAll(/`([a-z-]+)`:/g)].map(([, one]) => one)
    return codes.includes(code) ? null : `the problem ${code} is not documented, but ${codes.join(', ')}`
  }

  #validatorOf({ path, method }: Operation, status: number, type: string): ValidateFunction {
    const parts = [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      type,
      'schema',
    ]
    const pointer = parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    const found = this.#ajv.getSchema(`document.json#/${pointer.join('/')}`)
    if (found === undefined) throw new Error(`${method} ${path} has no schema for ${status} ${type}`)
    return found
  }
}

function reasonOf({ errors }: ValidateFunction): string {
  const { instancePath = '', message, params } = errors?.[0] ?? {}
  return `${instancePath} ${message} ${JSON.stringify(params)}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
