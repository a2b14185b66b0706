import { Redis } from 'ioredis'

/** Connects to a Redis. Connections wait for a Redis that is gone for a while instead of giving up. @param say told so, once each time */
export function connectRedis(url: string, say: (sentence: string) => void): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null })
  let isAway = false
  redis.on('ready', () => {
    isAway = false
  })
  redis.on('error', (error) => {
    if (!isAway) say(`Redis does not answer (${error.message}); waiting for it.`)
    isAway = true
  })
  return redis
}
