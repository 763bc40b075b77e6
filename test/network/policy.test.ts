import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createOutboundPolicy, judgeAddresses, judgeUrl } from '../../runtime/network/policy.ts'
import { fetchErrorOf } from './refusals.ts'

const policy = createOutboundPolicy([
  'http://127.0.0.1:8000',
  'https://models.internal:8443',
  'models.example.com',
  '*.example.org',
  '[2606:4700::1111]',
])
const anyHost = createOutboundPolicy(['*'])

async function refusalOf(url: string, by = policy): Promise<string> {
  return (await fetchErrorOf(() => judgeUrl(url, by))).what
}

describe('the policy of a configuration', () => {
  it('has entries with http or https as origins, and entries without a scheme as hosts', () => {
    expect(
      createOutboundPolicy(['*', 'a.com', 'https://b.com', 'HTTP://c.com', 's3://bucket', 'ftp://d.com']),
    ).toEqual({
      origins: ['https://b.com', 'HTTP://c.com'],
      hosts: ['*', 'a.com'],
    })
  })
})

describe('a URL', () => {
  it.each([
    ['http://127.0.0.1:8000/a?b=c', 'http://127.0.0.1:8000/a?b=c'],
    ['HTTP://127.1:8000', 'http://127.0.0.1:8000/'],
    ['http://2130706433:8000/', 'http://127.0.0.1:8000/'],
    ['http://0x7f.0.0.1:8000/', 'http://127.0.0.1:8000/'],
    ['http:\\\\127.0.0.1:8000\\a', 'http://127.0.0.1:8000/a'],
    ['https://models.internal:8443/x#y', 'https://models.internal:8443/x'],
    ['https://models.example.com/x', 'https://models.example.com/x'],
    ['https://MODELS.example.com:9000/x', 'https://models.example.com:9000/x'],
    [' https://models.example.com/\tx\n', 'https://models.example.com/x'],
    ['https://a.example.org', 'https://a.example.org/'],
    ['https://a.b.example.org', 'https://a.b.example.org/'],
    ['https://[2606:4700:0::1111]/', 'https://[2606:4700::1111]/'],
  ])('passes as %j in its normal form', (text, href) => {
    expect(judgeUrl(text, policy).url.href).toBe(href)
  })

  it.each([
    [
      'malformed',
      ['', 'x', '/x', '//models.example.com/x', 'https://', 'https://a b.com', 'https://1.2.3.4.5/'],
    ],
    [
      'malformed',
      ['https://[fe80::1%25eth0]/', 'https://a%00.example.org/', 'https://models.example.com:99999/'],
    ],
    [
      'scheme',
      ['file:///etc/passwd', 'ftp://models.example.com/', 'data:text/plain,x', 'javascript:1', 'gopher://x'],
    ],
    [
      'scheme',
      ['http://models.example.com/', 'http://a.example.org:443/', 'blob:https://models.example.com/x'],
    ],
    ['credentials', ['https://user@models.example.com/', 'https://:word@models.example.com/']],
    ['credentials', ['http://user:word@127.0.0.1:8000/', 'https://models.example.com%2f@evil.com/']],
    [
      'host',
      ['https://example.com/', 'https://evil.com/models.example.com', 'https://models.example.com.evil.com/'],
    ],
    [
      'host',
      [
        'https://example.org/',
        'https://.example.org/',
        'https://evilexample.org/',
        'https://xmodels.example.com/',
      ],
    ],
    [
      'host',
      ['http://127.0.0.1:8001/', 'https://127.0.0.1:8000/', 'http://127.0.0.1/', 'http://127.0.0.2:8000/'],
    ],
    [
      'host',
      ['http://localhost:8000/', 'https://models.internal/', 'http://models.internal:8443/', 'https:///x'],
    ],
    [
      'host',
      ['https://models.example.com./', 'https://ⅿodels.example.net/', 'https://[::1]/', 'http://[::1]:8000/'],
    ],
  ])('is refused for its %s: %j', async (reason, texts) => {
    for (const text of texts) expect([text, await refusalOf(text)]).toEqual([text, `URL_REFUSED: ${reason}`])
  })

  it('is refused where it, or its host, is longer than any is', async () => {
    expect(await refusalOf(`https://${'x.'.repeat(126)}xx/`, anyHost)).toBe('URL_REFUSED: malformed')
    expect(judgeUrl(`https://${'x.'.repeat(126)}x/`, anyHost).host.length).toBe(253)
    expect(await refusalOf(`https://models.example.com/${'x'.repeat(16_384)}`)).toBe('URL_REFUSED: malformed')
    expect(judgeUrl(`https://models.example.com/${'x'.repeat(16_000)}`, policy).url.hostname).toBe(
      'models.example.com',
    )
  })

  it('passes to any host by https where all are allowed, and by nothing else', async () => {
    expect(judgeUrl('https://anything.at.all:1234/x', anyHost).url.port).toBe('1234')
    expect(await refusalOf('http://anything.at.all/', anyHost)).toBe('URL_REFUSED: scheme')
    expect(await refusalOf('https://a:b@anything.at.all/', anyHost)).toBe('URL_REFUSED: credentials')
  })

  it('is refused where nothing is allowed', async () => {
    expect(await refusalOf('https://models.example.com/', { origins: [], hosts: [] })).toBe(
      'URL_REFUSED: host',
    )
  })

  it('is named by its host only, never by what may be a signature', async () => {
    for (const text of [
      'http://a.example.org/p-secret?sig=secret',
      'https://secret:secret@b.com/?secret#secret',
      'ftp://b.com/secret',
      `secret`,
    ])
      expect((await fetchErrorOf(() => judgeUrl(text, policy))).message).not.toContain('secret')
  })

  it('is judged alike whatever is put after its host', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        const judged = judgeUrl(`https://models.example.com${path}?${query}`, policy)
        expect(judged.url.hostname).toBe('models.example.com')
        expect(judged.addressClasses).toEqual(['public'])
      }),
    )
  })
})

describe('the addresses of a host', () => {
  const listed = judgeUrl('http://127.0.0.1:8000', policy)
  const named = judgeUrl('https://models.example.com', policy)

  it('may be private or loopback for a listed origin', () => {
    judgeAddresses(['127.0.0.1', '10.0.0.1', '::1', 'fd12::1', '100.64.0.1', '1.1.1.1'], listed)
  })

  it.each([
    '169.254.169.254',
    '::ffff:169.254.169.254',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '0.0.0.0',
    '224.0.0.1',
  ])('may not be %s for a listed origin', async (address) => {
    const { what } = await fetchErrorOf(() => judgeAddresses(['127.0.0.1', address], listed))
    expect(what).toBe('URL_REFUSED: address')
  })

  it('must be public for a host, all of them', async () => {
    judgeAddresses(['1.1.1.1', '2606:4700::1111'], named)
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '169.254.169.254',
      '::1',
      '::ffff:10.0.0.1',
      '64:ff9b::a00:1',
    ])
      for (const addresses of [[address], ['1.1.1.1', address], [address, '1.1.1.1']]) {
        const { what, message } = await fetchErrorOf(() => judgeAddresses(addresses, named))
        expect(what).toBe('URL_REFUSED: address')
        expect(message).not.toContain(address)
      }
  })
})
