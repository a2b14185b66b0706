import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { roles, scopes } from '../domain/access.ts'
import { codeVersion } from '../domain/version.ts'
import {
  type DescribedOperation,
  type MediaType,
  mapped,
  problemExamples,
  readExamples,
  withExamples,
} from './document-examples.ts'
import { problems, problemType } from './problems.ts'
import { webhookSection } from './webhook-document.ts'

const description = `What Loyalcast predicts, and what would be. Every address under /v1 needs the header \`Authorization: Bearer KEY\`.

What is no result is a problem document (RFC 9457) whose \`type\` is stable. Parameters that an address does not know are refused. Answers carry an \`ETag\`; send it back as \`If-None-Match\` to get 304 where nothing has changed.`

const keyWords = `A key. Each has a role, and each address names the scope that it needs. ${Object.entries(
  roles,
)
  .map(([role, own]) => `\`${role}\`: ${own.join(', ')}.`)
  .join(' ')} ${Object.entries(scopes)
  .map(([scope, words]) => `\`${scope}\`: ${words}.`)
  .join(' ')}`

/** Makes the OpenAPI document from the schemas of the routes that are added after it. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Loyalcast',
        version: codeVersion,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'programs', description: 'What is served' },
        { name: 'predictions', description: 'One row a customer and day' },
        { name: 'summary', description: 'What they add up to' },
        { name: 'what-if', description: 'What would be forecast had customers behaved otherwise' },
        { name: 'scenarios', description: 'Questions that are kept, and asked again on later days' },
        { name: 'rows', description: 'What customers did and said, sent as it happens' },
        {
          name: 'runs',
          description: 'Days that are predicted and versions that are trained, and what came of it',
        },
        { name: 'models', description: 'Versions and how good they are' },
        { name: 'access', description: 'Keys, what they may do, and who did what' },
        { name: 'webhooks', description: 'Where events are sent, and what became of each' },
        { name: 'health', description: 'For those who run it' },
      ],
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: keyWords },
        },
      },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: withSharedSchemas,
  })
}

/** `/openapi.json` and, to read and try it, `/docs`. No key is needed to read them. */
export async function showApi(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Loyalcast API' },
    uiConfig: { layout: 'BaseLayout', deepLinking: true, docExpansion: 'list', defaultModelsExpandDepth: 0 },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}

/** What any request may be answered with, whatever it asks for. */
const everywhere = [
  ...(['invalid-request', 'unknown-route', 'timeout', 'body-too-large', 'address-too-long'] as const),
  ...(['unsupported-media-type', 'headers-too-large', 'unavailable'] as const),
]

/** Adds to an operation what it does not say itself because all may answer so. */
function withEverywhere(operation: DescribedOperation): DescribedOperation {
  const { requestBody } = operation
  const responses: Record<string, DescribedOperation['responses'][string]> = { ...operation.responses }
  for (const code of everywhere) {
    const [status, title] = problems[code]
    const known = responses[status]
    const words = `\`${code}\`: ${title}.`
    if (known === undefined) responses[status] = { description: words, content: problemContent }
    else if (!known.description.includes(`\`${code}\``))
      responses[status] = { ...known, description: `${known.description} ${words}` }
  }
  return {
    ...operation,
    responses: mapped(responses, (response, status) => ({
      ...response,
      headers: headersOf(operation, status),
    })),
    ...(requestBody && { requestBody: withTexts(requestBody) }),
  }
}

const headers = {
  'x-request-id': 'Of the request, as in the log of the server',
  etag: 'Of what is answered; sent back as If-None-Match it gets 304 where nothing has changed',
  location: 'Address of what was made or begun',
  'retry-after': 'Seconds to wait before asking again',
  'loyalcast-cursor': 'To go on with after a break, together with `after`',
  'loyalcast-next-cursor': 'Where `limit` left rows over: what to ask for next as `cursor`',
} as const

/** The headers that an answer may have. */
function headersOf({ operationId, responses }: DescribedOperation, status: string): object {
  const names: (keyof typeof headers)[] = [
    'x-request-id',
    ...(status === '200' && '304' in responses ? (['etag'] as const) : []),
    ...(/^20[12]$/.test(status) ? (['location'] as const) : []),
    ...(/^(409|429|503)$/.test(status) ? (['retry-after'] as const) : []),
    ...(status === '200' && operationId.startsWith('pullPredictions')
      ? (['loyalcast-cursor', 'loyalcast-next-cursor'] as const)
      : []),
  ]
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

const headerSchemas = mapped(headers, (description) => ({ description, schema: { type: 'string' } }))

type RequestBody = NonNullable<DescribedOperation['requestBody']>

/** What is no JSON is sent as text. */
function withTexts({ content, ...more }: RequestBody): RequestBody {
  const asText: MediaType = { schema: { type: 'string' } }
  return {
    ...more,
    content: mapped(content, (media, type) => (type === 'application/json' ? media : asText)),
  }
}

const problemContent = { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } }

type Paths = Record<string, Record<string, DescribedOperation>>

/** The document with the shared schemas of answers; those of requests stand where they are used. */
const withSharedSchemas: SwaggerTransformObject = (document) => {
  const whole = jsonSchemaTransformObject(document) as {
    components: { schemas: Record<string, unknown> }
    paths: Paths
  }
  const schemas = Object.entries(whole.components.schemas).filter(([name]) => !name.endsWith('Input'))
  const examples = readExamples()
  const described = (operation: DescribedOperation) =>
    withExamples(withEverywhere(operation), examples[operation.operationId] ?? {})
  return {
    ...whole,
    paths: mapped(whole.paths, (operations) => mapped(operations, described)),
    webhooks: webhookSection(),
    components: {
      ...whole.components,
      schemas: Object.fromEntries(schemas),
      examples: problemExamples(),
      headers: headerSchemas,
    },
  } as unknown as ReturnType<SwaggerTransformObject>
}
