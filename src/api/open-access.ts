import type { ApiKeys } from '../control/api-keys.ts'
import { openServerControl } from '../control/server-control.ts'
import { AuditTrail } from './audit-trail.ts'
import { KeyRing } from './key-ring.ts'

/** Who may do what, and who did. */
export interface Access {
  readonly ring: KeyRing
  readonly keys: ApiKeys
  readonly trail: AuditTrail
  /** At least 32 random bytes as base64url. */
  readonly makeSecret: () => string
}

interface Options {
  readonly dataFolder: string
  readonly key: string | null
  readonly makeSecret: () => string
  readonly clock: () => string
  readonly onError: (error: unknown) => void
}

/** Opens what tells who may do what and notes who did. Close it after the last request. **Errors** `control`. */
export async function openAccess(options: Options): Promise<Access & { close(): Promise<void> }> {
  const { dataFolder, key, clock, makeSecret, onError } = options
  const { keys, audit, close } = await openServerControl(dataFolder)
  const ring = new KeyRing({ environmentKey: key, keys, clock, onError })
  const trail = new AuditTrail({ audit, onError })
  return {
    ...{ ring, keys, trail, makeSecret },
    async close() {
      await trail.close()
      await ring.close()
      await close()
    },
  }
}
