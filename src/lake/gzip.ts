import { createReadStream } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { failure, usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import type { InputFile } from './commits.ts'

/**
 * Refuses a gzipped file that ends early or is damaged. DuckDB takes what it finds until then for the whole file, the
 * last line cut anywhere.
 *
 * **Errors** `broken-file`, `storage` where a file cannot be read.
 */
export async function refuseBrokenGzip(source: Source, inputs: readonly InputFile[]): Promise<void> {
  for (const { path } of inputs.filter((input) => /\.gz$/i.test(input.path) && input.bytes > 0)) {
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    await pipeline(createReadStream(path), createGunzip({ chunkSize: 1 << 20 }), nowhere).catch((error) => {
      throw explain(error, { source, path })
    })
  }
}

function explain(error: NodeJS.ErrnoException, { source, path }: { source: Source; path: string }): Error {
  const place = `sources.${source.key}: ${path}`
  if (!error.code?.startsWith('Z_'))
    return failure('storage', `${place} cannot be read: ${error.message}. Check its rights.`, {
      cause: error,
    })
  const problem = error.code === 'Z_BUF_ERROR' ? 'ends early' : 'is damaged or not gzipped'
  return usageError(
    'broken-file',
    `${place} ${problem} (${error.message}): nothing of it was taken. Copy or write it again, whole.`,
    { cause: error },
  )
}
