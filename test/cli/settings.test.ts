import { describe, expect, it } from 'vitest'
import { findSettings, misspelled } from '../../src/cli/doctor-settings.ts'
import { readSetting, readSettings, type SettingName, settings } from '../../src/cli/settings.ts'
import { LoyalcastError } from '../../src/domain/errors.ts'

const names = Object.keys(settings) as SettingName[]

describe('settings', () => {
  it('have defaults, also where a variable is there but empty', () => {
    const empty = Object.fromEntries(names.map((name) => [`LOYALCAST_${name}`, '']))
    expect(readSettings(empty, names)).toEqual(readSettings({}, names))
    expect(readSettings({}, ['DATA', 'RATE_LIMIT', 'CORS_ORIGINS', 'API_KEY'])).toEqual({
      ...{ DATA: 'data', RATE_LIMIT: 600, CORS_ORIGINS: [], API_KEY: null },
    })
  })

  it('are shown as they could be written', () => {
    for (const { name, value } of findSettings({}, {})) {
      const setting = name.replace('LOYALCAST_', '') as SettingName
      if (value !== null)
        expect(readSetting({ [name]: value }, setting), name).toEqual(settings[setting].preset)
    }
  })

  it('are read from text', () => {
    const environment = {
      LOYALCAST_RATE_LIMIT: '0',
      LOYALCAST_CORS_ORIGINS: 'https://bi.example.org, http://localhost:5173',
      LOYALCAST_TRUSTED_PROXIES: '10.0.0.0/8,::1,loopback',
      LOYALCAST_METRICS_OPEN: '1',
    }
    expect(
      readSettings(environment, ['RATE_LIMIT', 'CORS_ORIGINS', 'TRUSTED_PROXIES', 'METRICS_OPEN']),
    ).toEqual({
      ...{ RATE_LIMIT: 0, METRICS_OPEN: true },
      CORS_ORIGINS: ['https://bi.example.org', 'http://localhost:5173'],
      TRUSTED_PROXIES: ['10.0.0.0/8', '::1', 'loopback'],
    })
  })

  it.each([
    ['RATE_LIMIT', 'many', /LOYALCAST_RATE_LIMIT is "many"; it is a whole number from 0 to 1000000 \(req/],
    ['RATE_LIMIT', '-1', /is "-1"/],
    ['RATE_LIMIT', '1000001', /is "1000001"/],
    ['RATE_LIMIT', '1e3', /is "1e3"/],
    ['CORS_ORIGINS', '*', /is "\*"; it is a list such as https/],
    ['CORS_ORIGINS', 'https://a.example/path', /without paths/],
    ['CORS_ORIGINS', 'ftp://a.example', /is "ftp/],
    ['TRUSTED_PROXIES', 'proxy.example', /addresses and networks/],
    ['STOP_SECONDS', '20s', /from 0 to 3600/],
    ['METRICS_OPEN', 'yes', /it is 0 or 1/],
    ['JSON', 'true', /it is 0 or 1/],
    ['SEED', '1.5', /a whole number from 0 on/],
    ['NOW', 'today', /a time such as/],
  ] as const)('name the variable, its value and what is allowed: %s is %s', (name, value, words) => {
    const read = () => readSetting({ [`LOYALCAST_${name}`]: value }, name)
    expect(read).toThrow(LoyalcastError)
    expect(read).toThrow(words)
  })

  it('never show what is secret, right or wrong', () => {
    for (const secret of ['geheim', 'a secret that has spaces', 'longenough0123456789']) {
      const found = findSettings({ LOYALCAST_API_KEY: secret }, {})
      expect(JSON.stringify(found)).not.toContain(secret)
      expect(found.find(({ name }) => name === 'LOYALCAST_API_KEY')).toMatchObject({
        ...{ value: 'set, not shown', origin: 'environment' },
        problem: secret.length === 20 ? null : expect.stringMatching(/too short or holds/),
      })
    }
  })

  it('tell where they come from', () => {
    const environment = { LOYALCAST_DATA: '/from/environment', LOYALCAST_MODELS: '/from/environment' }
    const origins = Object.fromEntries(
      findSettings(environment, { DATA: '/from/option' }).map(({ name, value, origin }) => [
        name,
        [value, origin],
      ]),
    )
    expect(origins).toMatchObject({
      LOYALCAST_DATA: ['/from/option', 'option'],
      LOYALCAST_MODELS: ['/from/environment', 'environment'],
      LOYALCAST_SEED: ['1', 'default'],
      LOYALCAST_METRICS_OPEN: ['0', 'default'],
      LOYALCAST_API_KEY: [null, 'default'],
    })
  })

  it('find variables that are nearly one', () => {
    const environment = {
      LOYALCAST_RATELIMIT: '5',
      LOYALCAST_DATA: 'x',
      LOYALCAST_SOMETHING_ELSE: 'x',
      PATH: 'x',
    }
    expect(misspelled(environment)).toEqual([
      'LOYALCAST_RATELIMIT is no setting and does nothing. Did you mean LOYALCAST_RATE_LIMIT?',
    ])
  })
})
