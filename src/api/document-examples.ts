import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem, type ProblemCode, problemParts, problems, problemType } from './problems.ts'

/** A request and its answers, recorded. */
export interface RecordedExample {
  /** Parameter → value, of the path, the query and the headers. */
  readonly parameters?: Readonly<Record<string, string | number>>
  /** Media type → body. */
  readonly bodies?: Readonly<Record<string, unknown>>
  /** Status → media type → body. */
  readonly answers?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Operation → example. They come from a made company, by a test. */
export type RecordedExamples = Readonly<Record<string, RecordedExample>>

interface Parameter {
  readonly name: string
  readonly required?: boolean
  readonly schema: { readonly examples?: unknown; readonly enum?: unknown }
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

/** An operation of the document, as far as it has examples. */
export interface DescribedOperation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Media }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Media }>>
}

type Media = Readonly<Record<string, MediaType>>

export interface MediaType {
  readonly schema?: { readonly examples?: unknown; readonly type?: string; readonly $ref?: string }
  readonly example?: unknown
  readonly examples?: unknown
}

/** The file of the examples, beside this one in the sources and in what is built of them. */
export const examplesFile = join(import.meta.dirname, 'examples.json')

export function readExamples(): RecordedExamples {
  return JSON.parse(readFileSync(examplesFile, 'utf8'))
}

/** Adds what was recorded of an operation wherever its schemas have no example of their own, and its problems. */
export function withExamples(operation: DescribedOperation, recorded: RecordedExample): object {
  const { parameters, requestBody, responses } = operation
  return {
    ...operation,
    ...(parameters && {
      parameters: parameters.map((one) =>
        withoutFilling(
          hasExample(one) || one.schema.enum !== undefined
            ? one
            : given(one, recorded.parameters?.[one.name]),
        ),
      ),
    }),
    ...(requestBody && {
      requestBody: {
        ...requestBody,
        content: mapped(requestBody.content, (one, type) =>
          hasExample(one) ? one : given(one, recorded.bodies?.[type]),
        ),
      },
    }),
    responses: mapped(responses, (response, status) => ({
      ...response,
      ...(response.content && {
        content: mapped(response.content, (one, type) =>
          type === problemType
            ? { ...one, examples: problemReferences(response.description) }
            : given(one, recorded.answers?.[status]?.[type]),
        ),
      }),
    })),
  }
}

/** A problem document of each type. */
export function problemExamples(): object {
  return mapped(problems, ([, title], code) => ({
    summary: title,
    value: {
      ...problemParts(new Problem(code as ProblemCode, `${title}.`)),
      instance: '/v1/programs/my-shop',
      request_id: '0d8f6a3e-5b1c-4c55-9d0c-4f5f4d0b7b57',
    },
  }))
}

/** The descriptions of answers name the codes of their problems. */
function problemReferences(description: string): object {
  const codes = [...description.matchAll(/`([a-z-]+)`:/g)].map(([, code]) => code)
  return Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
}

function hasExample({ schema, example, examples }: MediaType): boolean {
  return example !== undefined || examples !== undefined || schema?.examples !== undefined
}

/**
 * Who tries an operation finds the examples of its parameters filled in. What may be left out stays empty: its examples
 * move into the schema.
 */
function withoutFilling(parameter: Parameter): Parameter {
  const { example, examples, schema, ...rest } = parameter
  if (rest.required || (example === undefined && examples === undefined)) return parameter
  const all = examples === undefined ? [example] : Object.values(examples).map(({ value }) => value)
  return { ...rest, schema: { ...schema, examples: all } }
}

function given<T extends object>(one: T, example: unknown): T {
  return example === undefined ? one : { ...one, example }
}

/** The same names with other values. */
export function mapped<T, R>(
  record: Readonly<Record<string, T>>,
  map: (one: T, name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, one]) => [name, map(one, name)]))
}
