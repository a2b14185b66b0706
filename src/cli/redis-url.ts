import type { Environment } from '../domain/environment.ts'
import { readSetting } from './settings.ts'

/** The Redis that the environment names, by our own name for it or the usual one; null: none. **Errors** `setting`. */
export function redisUrlOf(environment: Environment): string | null {
  const { LOYALCAST_REDIS_URL: own, REDIS_URL: usual } = environment
  return readSetting({ LOYALCAST_REDIS_URL: own || usual }, 'REDIS_URL')
}
