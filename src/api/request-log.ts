import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'

/** Where log lines go. */
export interface LogStream {
  write(line: string): void
}

/**
 * A line for each answer: the pattern of the route, not the address, which may hold a customer's id, and no header,
 * which may hold the key.
 */
export class RequestLog extends fastify.LogController {
  override incomingRequest(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const { method, routeOptions } = request
    const answer = {
      method,
      route: routeOptions.url ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    }
    if (error) request.log.error({ ...answer, err: error }, 'not answered')
    else request.log.info(answer, 'answered')
  }
}
