import { describe, expect, it } from 'vitest'
import { webhookSettings } from '../../src/cli/webhook-settings.ts'
import { TargetRules } from '../../src/engage/target-rules.ts'

const read = (environment: Readonly<Record<string, string>>) => webhookSettings(environment, () => 0)

describe('the environment', () => {
  it('says nothing of webhooks: they are sent, to public addresses by https alone', async () => {
    const settings = read({})
    expect(settings).toMatchObject({ isSending: true, isHttpAllowed: false, allow: [] })
    const rules = new TargetRules(settings)
    expect(await rules.refuse('https://127.0.0.1/')).toMatch(/not public/)
    expect(settings.makeSecret()).not.toBe(settings.makeSecret())
  })

  it('switches sending off, allows plain http, and names what may be sent to', () => {
    const environment = {
      ...{ LOYALCAST_WEBHOOKS: 'off', LOYALCAST_WEBHOOK_HTTP: '1' },
      LOYALCAST_WEBHOOK_ALLOW: ' hooks.internal, 10.0.0.0/8',
    }
    expect(read(environment)).toMatchObject({
      ...{ isSending: false, isHttpAllowed: true, allow: ['hooks.internal', '10.0.0.0/8'] },
    })
  })

  it.each([
    ['LOYALCAST_WEBHOOKS', 'no', /LOYALCAST_WEBHOOKS is "no"; it is on or off/],
    ['LOYALCAST_WEBHOOK_HTTP', 'yes', /LOYALCAST_WEBHOOK_HTTP is "yes"; it is 0 or 1/],
    ['LOYALCAST_WEBHOOK_ALLOW', 'http://x', /neither a host nor an address nor a network/],
  ])('is refused where %s is %s', (name, value, words) => {
    expect(() => read({ [name]: value })).toThrow(words)
  })
})
