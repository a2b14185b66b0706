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
