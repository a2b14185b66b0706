import { describe, expect, it } from 'vitest'
import { type ResolveName, type TargetOptions, TargetRules } from '../../src/engage/target-rules.ts'

/** Names of a world without DNS. */
const names: Readonly<Record<string, readonly string[]>> = {
  'public.example': ['93.184.215.14', '2606:2800:21f:cb07::1'],
  'inside.example': ['10.1.2.3'],
  'both.example': ['93.184.215.14', '192.168.0.1'],
  'mapped.example': ['::ffff:10.0.0.1'],
}

const resolve: ResolveName = async (host) => {
  const found = names[host]
  if (found === undefined) throw Object.assign(new Error(host), { code: 'ENOTFOUND' })
  return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}

const rules = (more: Partial<TargetOptions> = {}) =>
  new TargetRules({ allow: [], isHttpAllowed: false, resolve, ...more })

const notPublic = /not public; .*LOYALCAST_WEBHOOK_ALLOW/

describe('an address of a webhook', () => {
  it.each([
    'https://public.example/hooks?x=1',
    'https://public.example:8443/',
    'https://93.184.215.14/',
    'https://[2606:2800:21f:cb07::1]:443/',
    'https://nobody.knows.example/',
  ])('may be public: %s', async (url) => {
    expect(await rules().refuse(url)).toBeNull()
  })

  it.each([
    ['loopback', '127.0.0.1'],
    ['loopback, in one number', '2130706433'],
    ['loopback, hexadecimal', '0x7f000001'],
    ['loopback, octal', '0177.0.0.1'],
    ['loopback, shortened', '127.1'],
    ['loopback, in wide digits', '１２７.0.0.1'],
    ['loopback of IPv6', '[::1]'],
    ['IPv4 inside IPv6', '[::ffff:127.0.0.1]'],
    ['IPv4 inside IPv6, hexadecimal', '[::ffff:7f00:1]'],
    ['IPv4 inside IPv6 of old', '[::127.0.0.1]'],
    ['IPv4 inside IPv6 by NAT64', '[64:ff9b::7f00:1]'],
    ['IPv4 inside IPv6 by 6to4', '[2002:7f00:1::]'],
    ['any', '0.0.0.0'],
    ['any of IPv6', '[::]'],
    ['private', '10.1.2.3'],
    ['private', '172.31.255.1'],
    ['private', '192.168.1.1'],
    ['carrier', '100.100.100.200'],
    ['link-local', '169.254.1.1'],
    ['cloud metadata', '169.254.169.254'],
    ['cloud metadata of IPv6', '[fd00:ec2::254]'],
    ['cloud metadata with a public number', '168.63.129.16'],
    ['link-local of IPv6', '[fe80::1]'],
    ['unique local', '[fc00::1]'],
    ['site-local', '[fec0::1]'],
    ['multicast', '224.0.0.1'],
    ['multicast of IPv6', '[ff02::1]'],
    ['broadcast', '255.255.255.255'],
    ['documentation', '192.0.2.1'],
    ['a name for something inside', 'inside.example'],
    ['a name for something inside, with a dot behind it', 'INSIDE.example.'],
    ['a name for something inside among others', 'both.example'],
    ['a name for IPv4 inside IPv6', 'mapped.example'],
  ])('may not be %s: %s', async (_, host) => {
    expect(await rules().refuse(`https://${host}/`)).toMatch(notPublic)
  })

  it('may not be a name of this machine, by the system’s own names', async () => {
    const some = new TargetRules({ allow: [], isHttpAllowed: false })
    expect(await some.refuse('https://localhost/')).toMatch(notPublic)
    expect(await some.refuse('https://LOCALHOST./')).toMatch(notPublic)
  })

  it.each([
    ['http://public.example/', /begins with http:; allowed is https:/],
    ['ftp://public.example/', /begins with ftp:/],
    ['javascript:alert(1)', /begins with javascript:/],
    ['https://user@public.example/', /a user or a password/],
    ['https://:pass@public.example/', /a user or a password/],
    ['https://public.example/#part', /a fragment/],
    ['https://public.example:25/', /names port 25; allowed are 80, 443 and those from 1024 on/],
    ['https://public.example:0/', /names port 0/],
    ['https://public.example:99999/', /no URL/],
    ['https:///', /no URL/],
    ['/hooks', /no URL/],
    ['', /no URL/],
    [`https://public.example/${'x'.repeat(2048)}`, /no URL of up to 2048/],
  ])('has a form: %s is refused', async (url, words) => {
    expect(await rules().refuse(url)).toMatch(words)
  })

  it('may be http: where the operator says so', async () => {
    expect(await rules({ isHttpAllowed: true }).refuse('http://public.example/')).toBeNull()
    expect(await rules({ isHttpAllowed: true }).refuse('http://inside.example/')).toMatch(notPublic)
  })
})

describe('what the operator allows', () => {
  it.each([
    ['a host', 'inside.example', 'http://inside.example:8080/'],
    ['a network that a name leads to', '10.0.0.0/8', 'https://inside.example/'],
    ['an address', '127.0.0.1', 'http://127.0.0.1:9999/'],
    ['an address, however it is spelled', '127.0.0.1', 'http://0x7f.1:9999/'],
    ['an address, also inside IPv6', '127.0.0.1', 'https://[::ffff:127.0.0.1]/'],
    ['a network of IPv6', 'fd00::/8', 'https://[fd12::1]/'],
  ])('may be sent to: %s', async (_, entry, url) => {
    expect(await rules({ allow: [entry] }).refuse(url)).toBeNull()
    expect(await rules().refuse(url)).not.toBeNull()
  })

  it('allows nothing else', async () => {
    const some = rules({ allow: ['127.0.0.1', 'hooks.example'] })
    for (const host of ['127.0.0.2', 'inside.example', '[::1]'])
      expect(await some.refuse(`https://${host}/`), host).toMatch(notPublic)
  })

  it.each(['10.0.0.0/33', 'https://hooks.example', 'a b', '-x.example', 'hooks..example'])(
    'must be a host, an address or a network: %s',
    (entry) => {
      expect(() => rules({ allow: [entry] })).toThrow(/is neither a host nor an address nor a network/)
    },
  )
})
