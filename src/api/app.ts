import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify'
import {
  type FastifyPluginAsyncZod,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { Intake } from '../jobs/intake.ts'
import { type ApiKey, requireKey } from './api-key.ts'
import { customerRoutes } from './customers.ts'
import { tagResults } from './entity-tags.ts'
import { healthRoutes } from './health.ts'
import { jobRoutes } from './jobs.ts'
import { modelRoutes } from './models.ts'
import { describeApi, showApi } from './open-api.ts'
import { postedDocumentRoutes } from './posted-documents.ts'
import { predictionRoutes } from './predictions.ts'
import { Problem, problemOf, problems, problemType, sendProblem } from './problems.ts'
import { programRoutes, type ServedPrograms } from './programs.ts'
import { quarantineRoutes } from './quarantine.ts'
import { type LogStream, RequestLog } from './request-log.ts'
import { rescoreRoutes } from './rescore.ts'
import { rowRoutes } from './rows.ts'
import { scenarioAnswerRoutes } from './scenario-answers.ts'
import { scenarioRoutes } from './scenarios.ts'
import { summaryRoutes } from './summary.ts'
import { webRoutes } from './web-page.ts'
import { whatIfRoutes } from './what-if.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

export interface AppOptions {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
  readonly intake: Intake
  readonly key: ApiKey
  readonly log: LogStream | null
  readonly makeRequestId: () => string
}

/** Of most addresses, which take no body. */
const bodyLimit = 16 * 1024
const longestParameter = 2048

/** The API and the page, not listening yet. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { programs, desk, intake, key, log, makeRequestId } = options
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
  // Bodies are JSON.
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('caller')
  const routes = listRoutes(app)
  await app.register(helmet, headers)
  await describeApi(app)
  await app.register(
    async (v1) => {
      v1.addHook('onRequest', requireKey(key))
      v1.addHook('onSend', tagResults)
      v1.setNotFoundHandler(answerUnknown)
      for (const resource of resources) await v1.register(resource, { programs, desk, intake })
    },
    { prefix: '/v1' },
  )
  await app.register(healthRoutes, { programs })
  await app.register(webRoutes)
  await showApi(app)
  refuseOtherMethods(routes)
  return app
}

const resources: readonly FastifyPluginAsyncZod<Pick<AppOptions, 'programs' | 'desk' | 'intake'>>[] = [
  ...[programRoutes, summaryRoutes, predictionRoutes, customerRoutes, modelRoutes],
  ...[whatIfRoutes, jobRoutes, scenarioRoutes, scenarioAnswerRoutes],
  ...[rowRoutes, postedDocumentRoutes, quarantineRoutes, rescoreRoutes],
]

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

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** An address and what can be done there. */
interface Address {
  /** Where its routes are added, with the hooks that they have. */
  readonly place: FastifyInstance
  path: string
  readonly allowed: Set<string>
}

/** Every address that is added from now on. */
function listRoutes(app: FastifyInstance): ReadonlyMap<string, Address> {
  const addresses = new Map<string, Address>()
  app.addHook('onRoute', function (this: FastifyInstance, { method, routePath }) {
    // Fastify also has what ends in a slash without it.
    const address = (this.prefix + routePath).replace(/(?<=.)\/$/, '')
    const known = addresses.get(address) ?? { place: this, path: routePath, allowed: new Set() }
    for (const one of [method].flat()) known.allowed.add(one)
    if (routePath.endsWith('/')) known.path = routePath
    addresses.set(address, known)
  })
  return addresses
}

/** Answers 405 wherever something else can be done; what needs a key needs it for this too. */
function refuseOtherMethods(addresses: ReadonlyMap<string, Address>): void {
  for (const { place, path, allowed } of [...addresses.values()]) {
    const possible = methods.filter((method) => allowed.has(method))
    const words = possible.length === 1 ? `allowed is ${possible[0]}` : `allowed are ${listed(possible)}`
    place.route({
      method: methods.filter((method) => !allowed.has(method)),
      url: path,
      schema: { hide: true } as object,
      onRequest: async (request, reply) => {
        reply.header('allow', possible.join(', '))
        throw new Problem('method-not-allowed', `${request.method} is not possible here; ${words}.`)
      },
      handler: () => {},
    })
  }
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
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
