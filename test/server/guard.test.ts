import { describe, expect, it } from 'vitest'
import { createGuard, isLoopback, loopbackNames } from '../../runtime/server/guard.ts'

function request(headers: Readonly<Record<string, string>>): Request {
  return new Request('http://localhost/', { headers })
}

const guard = createGuard({ hosts: [...loopbackNames, 'models.example'], origins: ['https://app.example'] })

describe('a guarded server', () => {
  it.each([
    'localhost',
    'localhost:3000',
    'LOCALHOST:3000',
    '127.0.0.1',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:3000',
    'models.example',
    'Models.Example:8443',
  ])('answers to the name %s', (host) => {
    expect(guard(request({ host }))).toBeNull()
  })

  it.each([
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    'localhost.',
    'localhost:3000:3000',
    'localhost:x',
    'localhost@evil.example',
    'evil.example:80@localhost',
    ' localhost evil.example',
    'localhost, evil.example',
    '127.0.0.1.nip.io',
    '127.0.0.1.',
    '2130706433',
    '0x7f.1',
    '0',
    '0.0.0.0',
    '[::]',
    '[::ffff:127.0.0.1]',
    '::1',
    '[::1',
    '192.168.0.1:3000',
    '',
  ])('refuses the name %j', (host) => {
    expect(guard(request({ host }))).toMatchObject({ code: 'ORIGIN_REFUSED', status: 403 })
  })

  it('answers where no name is sent, as HTTP/1.0 allows', () => {
    expect(guard(request({}))).toBeNull()
  })

  it.each([
    'http://localhost',
    'http://localhost:5173',
    'http://127.0.0.1:8080',
    'http://[::1]:3000',
    'https://models.example',
    'https://app.example',
  ])('takes requests of pages of %s', (origin) => {
    expect(guard(request({ host: 'localhost:3000', origin }))).toBeNull()
  })

  it.each([
    'https://evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://localhost.evil.example',
    'https://evil-localhost',
    'https://evil-models.example',
    'null',
    'file://',
    'localhost',
    '*',
    '',
  ])('refuses requests of pages of %j', (origin) => {
    expect(guard(request({ host: 'localhost:3000', origin }))).toMatchObject({ code: 'ORIGIN_REFUSED' })
  })

  it('refuses a foreign name however trusted the page is', () => {
    expect(guard(request({ host: 'evil.example', origin: 'https://app.example' }))).not.toBeNull()
  })

  it('says what to do, and shows no more than 128 characters of what was sent', () => {
    const byHost = guard(request({ host: 'x'.repeat(10_000) }))
    expect(byHost?.message).toMatch(/allowedHosts/)
    expect(byHost?.message.length).toBeLessThan(250)
    const byOrigin = guard(request({ host: 'localhost', origin: `https://${'x'.repeat(10_000)}` }))
    expect(byOrigin?.message).toMatch(/corsOrigins/)
    expect(byOrigin?.message.length).toBeLessThan(250)
  })
})

describe('a star among the origins', () => {
  it('takes requests of all pages, under the names of the server only', () => {
    const open = createGuard({ hosts: loopbackNames, origins: ['*'] })
    expect(open(request({ host: 'localhost', origin: 'https://evil.example' }))).toBeNull()
    expect(open(request({ host: 'evil.example', origin: 'https://evil.example' }))).not.toBeNull()
  })
})

describe('a server without names of its own', () => {
  it('refuses nothing', () => {
    const open = createGuard({ hosts: null, origins: [] })
    expect(open(request({ host: 'evil.example', origin: 'https://evil.example' }))).toBeNull()
  })
})

describe('an address', () => {
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])(
    'is reachable from this machine only: %s',
    (host) => {
      expect(isLoopback(host)).toBe(true)
    },
  )

  it.each(['0.0.0.0', '::', '192.168.0.1', '128.0.0.1', '127.0.0.1.example', 'localhost.example', 'example'])(
    'is reachable from elsewhere: %s',
    (host) => {
      expect(isLoopback(host)).toBe(false)
    },
  )
})
