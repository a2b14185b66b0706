import type { Socket } from 'node:net'
import compress, { type FastifyCompressOptions } from '@fastify/compress'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
  type RouteOptions,
} from 'fastify'
import {
  type FastifyPluginAsyncZod,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { Intake } from '../jobs/intake.ts'
import { requireAccess, scopeOf } from './api-key.ts'
import { routeByMedia } from './asked-media.ts'
import { auditRoutes } from './audit.ts'
import { noteRequests } from './audit-trail.ts'
import { bulkRoutes } from './bulk-predictions.ts'
import { changeRoutes } from './changes.ts'
import { allowOrigins } from './cross-origin.ts'
import { customerHistoryRoutes } from './customer-history.ts'
import { customerRoutes } from './customers.ts'
import type { Draining } from './draining.ts'
import { driverRoutes } from './drivers.ts'
import { tagResults } from './entity-tags.ts'
import type { ExportDesk } from './export-desk.ts'
import { groupSummaryRoutes } from './group-summary.ts'
import { healthRoutes } from './health.ts'
import { jobRoutes } from './jobs.ts'
import { keyRoutes } from './keys.ts'
import { meRoutes } from './me.ts'
import type { Metrics } from './metrics.ts'
import { metricsRoutes } from './metrics-route.ts'
import { modelRoutes } from './models.ts'
import { nextActionRoutes } from './next-action.ts'
import type { Access } from './open-access.ts'
import { describeApi, showApi } from './open-api.ts'
import { postedDocumentRoutes } from './posted-documents.ts'
import { predictionRoutes } from './predictions.ts'
import { Problem, problemOf, problemParts, problems, problemType, sendProblem } from './problems.ts'
import { programRoutes, type ServedPrograms } from './programs.ts'
import { quarantineRoutes } from './quarantine.ts'
import { limitRates, type RateLimit } from './rate-limits.ts'
import { type LogStream, RequestLog } from './request-log.ts'
import { rescoreRoutes } from './rescore.ts'
import { rowRoutes } from './rows.ts'
import type { RunDesk } from './run-desk.ts'
import { runRoutes } from './runs.ts'
import { scenarioAnswerRoutes } from './scenario-answers.ts'
import { scenarioRoutes } from './scenarios.ts'
import { securityHeaders } from './security-headers.ts'
import type { ServedActions } from './served-actions.ts'
import { summaryRoutes } from './summary.ts'
import { webRoutes } from './web-page.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'
import type { WebhookDesk } from './webhook-desk.ts'
import { webhookRoutes } from './webhooks.ts'
import { whatIfRoutes } from './what-if.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

export interface AppOptions {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
  readonly exports: ExportDesk
  readonly actions: ServedActions
  readonly access: Access
  readonly webhooks: WebhookDesk
  readonly intake: Intake
  readonly runs: RunDesk
  readonly log: LogStream | null
  readonly makeRequestId: () => string
  readonly draining: Draining
  /** Null: none. */
  readonly rateLimit: RateLimit | null
  /** Sites whose scripts may read answers. */
  readonly corsOrigins: readonly string[]
  readonly metrics: Metrics
  /** Whether metrics are read without a key. */
  readonly isMetricsOpen: boolean
  /** Addresses of proxies whose word on the client's address is taken; null: nobody's. */
  readonly trustedProxies: readonly string[] | null
}

/** What routes are made of. */
type ResourceOptions = Pick<
  AppOptions,
  'programs' | 'desk' | 'exports' | 'actions' | 'webhooks' | 'intake' | 'runs' | 'access'
>

/** Of most addresses, which take no body. */
const bodyLimit = 16 * 1024
const longestParameter = 2048

/** What all of it shares: how it reads, refuses, counts and logs. */
function makeBase({ log, makeRequestId, trustedProxies, metrics, draining }: AppOptions) {
  const app = fastify({
    logger: log === null ? false : { level: 'info', stream: log },
    logController: new RequestLog(),
    genReqId: makeRequestId,
    bodyLimit,
    requestTimeout: 60_000,
    return503OnClosing: false,
    trustProxy: trustedProxies === null ? false : [...trustedProxies],
    routerOptions: { maxParamLength: longestParameter },
    clientErrorHandler: answerBrokenRequests(makeRequestId),
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
  routeByMedia(app)
  metrics.watch(app)
  draining.watch(app)
  // Bodies are JSON.
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('caller', null)
  return app
}

/** The API and the page, not listening yet. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { programs, desk, exports, actions, webhooks, intake, runs, access } = options
  const app = makeBase(options)
  const secured = securityHeaders()
  app.addHook('onRequest', async (_, reply) => void reply.headers(secured))
  await app.register(compress, compression)
  await allowOrigins(app, options.corsOrigins)
  const limiters = await limitRates(app, options.rateLimit)
  app.addHook('onRequest', async (request, reply) => {
    if (!/^\/v1(\/|$)/.test(request.routeOptions.url ?? '')) await limiters.ofAddress(request, reply)
  })
  const guard = { ...access, programs, limiters }
  const routes = listRoutes(app)
  await describeApi(app)
  await app.register(
    async (v1) => {
      v1.addHook('onRoute', refuseUnscoped)
      v1.addHook('onRequest', noteRequests(access.trail, { programs, clock: desk.clock }))
      v1.addHook('onRequest', requireAccess(guard))
      v1.addHook('onSend', tagResults)
      v1.setNotFoundHandler(answerUnknown)
      const own = { programs, desk, exports, actions, webhooks, intake, runs, access }
      for (const resource of resources) await v1.register(resource, own)
    },
    { prefix: '/v1' },
  )
  await app.register(healthRoutes, { programs, access, desk })
  const { metrics, isMetricsOpen: isOpen } = options
  await app.register(metricsRoutes, { metrics, desk, access: guard, isOpen })
  await app.register(webRoutes)
  await showApi(app)
  refuseOtherMethods(routes)
  return app
}

const resources: FastifyPluginAsyncZod<ResourceOptions>[] = [
  ...[programRoutes, summaryRoutes, predictionRoutes, bulkRoutes, changeRoutes, driverRoutes],
  ...[customerRoutes, customerHistoryRoutes, nextActionRoutes, groupSummaryRoutes],
  ...[modelRoutes],
  ...[whatIfRoutes, jobRoutes, scenarioRoutes, scenarioAnswerRoutes],
  ...[runRoutes],
  ...[meRoutes, keyRoutes, auditRoutes],
  ...[webhookRoutes, webhookDeliveryRoutes],
  ...[rowRoutes, postedDocumentRoutes, quarantineRoutes, rescoreRoutes],
]

/** Whoever adds a route says who may use it. */
function refuseUnscoped({ method, url, schema }: RouteOptions): void {
  const isHidden = (schema as { hide?: boolean } | undefined)?.hide === true
  if (!isHidden && scopeOf(schema) === null)
    throw new Error(`${method} ${url} does not say who may use it: its schema lacks security: needs(scope)`)
}

/** Tighter packing takes longer than it saves on a fast line. Parquet is packed already. */
const compression: FastifyCompressOptions = {
  encodings: ['gzip', 'deflate'],
  zlibOptions: { level: 1 },
  customTypes: /^(text\/|image\/svg|application\/([a-z.-]+\+)?(x-ndjson|json|javascript))/,
  globalDecompression: false,
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
function answerBrokenRequests(makeRequestId: () => string) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return
    const code = socketProblems[error.code ?? ''] ?? 'invalid-request'
    const { status, title, ...more } = problemParts(new Problem(code, `${problems[code][1]}.`))
    const request_id = makeRequestId()
    const body = JSON.stringify({ title, status, ...more, instance: '', request_id })
    const head = [
      `HTTP/1.1 ${status} ${title}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${request_id}`,
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
}
