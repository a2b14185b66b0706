import type { IncomingMessage } from 'node:http'
import accepts from 'accepts'
import type { FastifyInstance } from 'fastify'
import { type ExportFormat, exportFormats } from '../engage/export-shapes.ts'

/** Format → media type, as it is asked for and answered with. */
export const mediaTypes = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
} as const satisfies Record<ExportFormat, string>

const json = 'application/json'
const offered = [json, ...Object.values(mediaTypes)]

/**
 * Lets a route be for those alone who ask for a format by `Accept`: `constraints: { media: 'csv' }`. Whoever asks for
 * JSON, for anything, or for what there is not, gets the route without.
 */
export function routeByMedia(app: FastifyInstance): void {
  app.addConstraintStrategy({
    name: 'media',
    storage: () => {
      const handlers = new Map()
      return {
        get: (media: unknown) => handlers.get(media) ?? null,
        set: (media: unknown, handler: unknown) => void handlers.set(media, handler),
      }
    },
    deriveConstraint: (request: IncomingMessage) => askedFormat(request),
    mustMatchWhenDerived: false,
  })
}

function askedFormat(request: IncomingMessage): ExportFormat | undefined {
  const { accept } = request.headers
  if (accept === undefined || accept === '*/*' || accept === json) return undefined
  const best = accepts(request).type(offered)
  return exportFormats.find((format) => mediaTypes[format] === best)
}
