/**
 * What can go wrong and is not a bug: every message says what was seen, what is allowed, where, and what to do.
 *
 * `usage` is wrong input (a program file, an argument, data); `failed` is work that could not be done (disk
 * full, a locked lake). The command line turns them into exit codes 2 and 1.
 */
export class LoyalcastError extends Error {
  override readonly name = 'LoyalcastError'

  constructor(
    readonly kind: 'usage' | 'failed',
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Wrong input: the caller can mend it. */
export function usageError(code: string, message: string, options?: ErrorOptions): LoyalcastError {
  return new LoyalcastError('usage', code, message, options)
}

/** The work could not be done although the input was right. */
export function failure(code: string, message: string, options?: ErrorOptions): LoyalcastError {
  return new LoyalcastError('failed', code, message, options)
}

/** How the system and DuckDB say that storage failed → what that means and what to do about it. */
const storageTroubles: readonly (readonly [RegExp, string])[] = [
  [
    /failed to offload data block|max_temp_directory_size/,
    'the work needs more memory than it may take, and the disk has no space left to spill to. Free some space there',
  ],
  [/ENOSPC|No space left/i, 'the disk is full. Free some space there'],
  [/EDQUOT|quota exceeded/i, 'the quota is used up. Free some space there, or raise the quota'],
  [
    /EFBIG|File too large/i,
    'a file may not grow as large as it must. Raise the limit on file sizes (ulimit -f)',
  ],
  [/EROFS|Read-only file system/i, 'the disk is mounted read-only. Make it writable, or give another folder'],
  [
    /EACCES|EPERM|Permission denied|not permitted/i,
    'the rights are missing. Grant them, or give another folder',
  ],
  [
    /EMFILE|ENFILE|Too many open files/i,
    'too many files are open. Raise the limit on open files (ulimit -n)',
  ],
  [/\bEIO\b|Input\/output error/i, 'the disk reports an error. Check it, or give another folder'],
]

/**
 * What a full disk, missing rights and the like made fail, in words: where it was, what is the matter, what to do.
 * Null where an error is none of these.
 *
 * @param place the file or folder at hand, where the error itself does not name one.
 */
export function storageFailure(error: unknown, place?: string): LoyalcastError | null {
  if (!(error instanceof Error) || error instanceof LoyalcastError) return null
  const { code, path } = error as NodeJS.ErrnoException
  const isOfStorage = code !== undefined || /^(IO|Out of Memory|Permission) Error/.test(error.message)
  const trouble = isOfStorage && storageTroubles.find(([pattern]) => pattern.test(error.message))
  if (!trouble) return null
  const text = error.message.split('\n')[0]
  const where = path ?? /"([^"]+)"/.exec(text)?.[1] ?? place ?? 'a file'
  return failure(
    'storage',
    `${where} cannot be read or written: ${trouble[1]} and run the command again. Nothing that was there before is lost. (${text})`,
    { cause: error },
  )
}

/** How DuckDB says that a file is no Parquet file any more, or is not there. */
const damageWords = [
  /^Invalid (?:Input )?Error: .*file ['"](.+\.parquet)['"]/i,
  /^IO Error: No files found that match the pattern "(.+\.parquet)"/,
]

/** What a damaged or missing file of the lake made fail, in words. Null where an error is another one. */
export function damageFailure(error: unknown): LoyalcastError | null {
  if (!(error instanceof Error) || error instanceof LoyalcastError) return null
  const text = error.message.split('\n')[0]
  const path = damageWords.map((words) => words.exec(text)?.[1]).find((found) => found !== undefined)
  if (path === undefined) return null
  const run = /^.*\/runs\/[^/]+(?=\/)/.exec(path)?.[0]
  const remedy =
    run === undefined
      ? 'Restore it from a backup, or have the sources read anew by loyalcast ingest with --rebuild,'
      : `Remove the folder ${run}`
  return failure('damaged', `${path} is damaged or gone. ${remedy} and run the command again. (${text})`, {
    cause: error,
  })
}
