import { z } from 'zod'
import type { Environment } from '../domain/environment.ts'
import { usageError } from '../domain/errors.ts'

/** Fewest characters of a key. */
const shortestKey = 16

/** One setting of the environment. */
export interface Setting<T> {
  /** Reads its text; what is thrown away is not allowed. */
  readonly read: z.ZodType<T, string>
  /** Where it is not set. */
  readonly preset: T
  /** The same as one would write it. @default as numbers and texts are written, and 0 or 1 */
  readonly presetText?: string
  /** What it is, with its unit. */
  readonly words: string
  /** A phrase to follow "it is". */
  readonly allowed: string
  /** What a wrong value is called where nobody may see it, to follow the name of the variable. Without: it is no secret. */
  readonly wrongSecret?: string
}

/** A whole number as text. */
function whole(lowest: number, highest: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(lowest).max(highest))
}

/** Texts between commas. */
function list(entry: z.ZodType<string, string>) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(entry).max(100))
}

const flag = z.enum(['0', '1']).transform((text) => text === '1')
const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text,
  )
const network = z.union([
  z.ipv4(),
  z.ipv6(),
  z.cidrv4(),
  z.cidrv6(),
  z.enum(['loopback', 'linklocal', 'uniquelocal']),
])
const folder = z.string().min(1)

const setting = <T>(one: Setting<T>): Setting<T> => one

/** Everything that the environment can say, without its prefix `LOYALCAST_`. Options of the command line win over it. */
export const settings = {
  DATA: setting({
    read: folder,
    preset: 'data',
    words: 'folder of the lake and of what people keep',
    allowed: 'a path',
  }),
  MODELS: setting({
    read: folder,
    preset: 'models',
    words: 'folder of the model versions',
    allowed: 'a path',
  }),
  SEED: setting({
    read: whole(0, Number.MAX_SAFE_INTEGER),
    preset: 1,
    words: 'seed of everything random',
    allowed: 'a whole number from 0 on',
  }),
  JSON: setting({
    read: flag,
    preset: false,
    words: 'whether every command prints one JSON document',
    allowed: '0 or 1',
  }),
  NOW: setting<string | null>({
    read: z.iso.datetime({ offset: true }),
    preset: null,
    words: 'the time that commands take it to be, for runs that must repeat; without it the clock',
    allowed: 'a time such as 2026-11-20T12:00:00Z',
  }),
  API_KEY: setting<string | null>({
    read: z
      .string()
      .min(shortestKey)
      .regex(/^[\x21-\x7e]+$/),
    preset: null,
    words: 'a key of the API that may do everything; others are made with loyalcast keys',
    allowed: `a secret of at least ${shortestKey} printable characters without spaces`,
    wrongSecret: 'is too short or holds what no header can',
  }),
  RATE_LIMIT: setting({
    read: whole(0, 1_000_000),
    preset: 600,
    words: 'requests a second of one key, or without a key of one address; 0: no limit',
    allowed: 'a whole number from 0 to 1000000',
  }),
  CORS_ORIGINS: setting<readonly string[]>({
    read: list(origin),
    preset: [],
    words: 'sites whose scripts may read the API, between commas; without any: none',
    allowed: 'a list such as https://bi.example.org,http://localhost:5173, without paths',
  }),
  TRUSTED_PROXIES: setting<readonly string[] | null>({
    read: list(network),
    preset: null,
    words: 'proxies that are believed who the client is (X-Forwarded-For), between commas; without any: none',
    allowed: 'a list of addresses and networks such as 10.0.0.0/8,loopback',
  }),
  STOP_SECONDS: setting({
    read: whole(0, 3600),
    preset: 20,
    words: 'how long requests at hand may take when the server is stopped, in seconds',
    allowed: 'a whole number from 0 to 3600',
  }),
  METRICS_OPEN: setting({
    read: flag,
    preset: false,
    words: 'whether /metrics is read without a key',
    allowed: '0 or 1',
  }),
  WEBHOOKS: setting({
    read: z.enum(['on', 'off']).transform((text) => text === 'on'),
    preset: true,
    presetText: 'on',
    words: 'whether this process sends webhooks',
    allowed: 'on or off',
  }),
  WEBHOOK_ALLOW: setting<readonly string[]>({
    read: list(z.string().min(1).max(253)),
    preset: [],
    words:
      'hosts, addresses and networks that webhooks may be sent to although they are not public, between commas',
    allowed: 'a list such as crm.internal,10.0.0.0/8',
  }),
  WEBHOOK_HTTP: setting({
    read: flag,
    preset: false,
    words: 'whether webhooks may be sent by http: everywhere',
    allowed: '0 or 1',
  }),
  ROWS_AT_ONCE: setting({
    read: whole(0, 1_000_000_000),
    preset: 1_000_000,
    words: 'rows of a lake that the daily run reads at once; a larger lake is worked at bucket by bucket',
    allowed: 'a whole number from 0 to 1000000000',
  }),
  BUCKETS: setting<number | null>({
    read: whole(1, 4096),
    preset: null,
    words:
      'buckets that the customers of a new lake fall into, by hash; a thread or worker takes one at a time. Without it 8: enough for a few million customers',
    allowed: 'a whole number from 1 to 4096',
  }),
  REDIS_URL: setting<string | null>({
    read: z.url({ protocol: /^rediss?$/ }),
    preset: null,
    words:
      'Redis through which workers take runs and the buckets of large ones; without it REDIS_URL, or servers and runs do all themselves',
    allowed: 'an address such as redis://localhost:6379',
    wrongSecret: 'is no address of a Redis',
  }),
  THREADS: setting<number | null>({
    read: whole(1, 64),
    preset: null,
    words: 'threads of a daily run; without it one a processor, at most 4',
    allowed: 'a whole number from 1 to 64',
  }),
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof settings
export type SettingValues = { readonly [K in SettingName]: (typeof settings)[K]['preset'] }

/** What the environment says of some settings. An empty variable is one that is not set. **Errors** `setting`, of the first that is wrong. */
export function readSettings<N extends SettingName>(
  environment: Environment,
  names: readonly N[],
): Pick<SettingValues, N> {
  return Object.fromEntries(names.map((name) => [name, readSetting(environment, name)])) as Pick<
    SettingValues,
    N
  >
}

/** **Errors** `setting` that names the variable, its value unless it is secret, and what is allowed. */
export function readSetting<N extends SettingName>(environment: Environment, name: N): SettingValues[N] {
  const { read, preset, allowed, words, wrongSecret } = settings[name] as Setting<SettingValues[N]>
  const text = environment[`LOYALCAST_${name}`]
  if (text === undefined || text === '') return preset
  const parsed = read.safeParse(text)
  if (parsed.success) return parsed.data
  const found = wrongSecret ?? `is ${JSON.stringify(text.slice(0, 200))}`
  throw usageError('setting', `LOYALCAST_${name} ${found}; it is ${allowed} (${words}).`)
}
