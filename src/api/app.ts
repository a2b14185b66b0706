import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { type ApiKey, requireKey } from './api-key.ts'
import { customerRoutes } from './customers.ts'
import { tagResults } from './entity-tags.ts'
import { healthRoutes } from './health.ts'
import { modelRoutes } from './models.ts'
import { describeApi, showApi } from './open-api.ts'
import { predictionRoutes } from './predictions.ts'
import { Problem, problemOf, problems, problemType, sendProblem } from './problems.ts'
import { programRoutes, type ServedPrograms } from './programs.ts'
import { type LogStream, RequestLog } from './request-log.ts'
import { summaryRoutes } from './summary.ts'
import { webRoutes } from './web-page.ts'

export interface AppOptions {
  readonly programs: ServedPrograms
  readonly key: ApiKey
  readonly log: LogStream | null
  readonly makeRequestId: () => string
}

/** Nothing here takes a body. */
const bodyLimit = 16 * 1024
const longestParameter = 2048

/** The API and the page, not listening yet. */
export async function buildApp({ programs, key, log, makeRequestId }: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: log === null ? false : { level: 'info', stream: log },
    logController: new RequestLog(),
    genReqId: makeRequestId,
    bodyLimit,
    requestTimeout: 60_000,
    routerOptions: { maxParamLength: longestParameter },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, problemOf(error, request))
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, problemOf(error, request)))
  app.setNotFoundHandler(answerUnknown)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  refuseOtherMethods(app)
  await app.register(helmet, headers)
  await describeApi(app)
  await app.register(
    async (v1) => {
      v1.addHook('onRequest', requireKey(key))
      v1.addHook('onSend', tagResults)
      v1.setNotFoundHandler(answerUnknown)
      const routes = [programRoutes, summaryRoutes, predictionRoutes, customerRoutes, modelRoutes]
      for (const resource of routes) await v1.register(resource, { programs })
    },
    { prefix: '/v1' },
  )
  await app.register(healthRoutes, { programs })
  await app.register(webRoutes)
  await showApi(app)
  return app
}

/** Everything comes from this server and nothing is written into the page. TLS, and what goes with it, is a proxy's. */
const headers = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' as const },
}

function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(
    request,
    reply,
    new Problem('unknown-route', 'There is nothing at this address. /openapi.json lists all that there are.'),
  )
}

const otherMethods: readonly HTTPMethods[] = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Answers 405 wherever there is something to get; what needs a key needs it for this too. */
function refuseOtherMethods(app: FastifyInstance): void {
  app.addHook('onRoute', function (this: FastifyInstance, { method, routePath }) {
    if (method !== 'GET') return
    this.route({
      method: [...otherMethods],
      url: routePath,
      schema: { hide: true } as object,
      onRequest: async (request, reply) => {
        reply.header('allow', 'GET, HEAD')
        throw new Problem(
          'method-not-allowed',
          `${request.method} is not possible here; allowed are GET and HEAD.`,
        )
      },
      handler: () => {},
    })
  })
}

const socketProblems: Readonly<Record<string, 'timeout' | 'headers-too-large'>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
}

/** What could not even be read as a request is answered on the bare socket. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const code = socketProblems[error.code ?? ''] ?? 'invalid-request'
  const [status, title] = problems[code]
  const body = JSON.stringify({ type: `urn:loyalcast:problem:${code}`, title, status, detail: `${title}.` })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
