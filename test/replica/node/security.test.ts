import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  assertProtected,
  formatNodeAddress,
  isOwnMachine,
  parseNodeAddress,
  readNodeSecurity,
  type SecurityFiles,
  tlsOptionsOf,
} from '../../../runtime/replica/node/security.ts'
import { newNodeKey } from '../../support/nodes.ts'

const none: SecurityFiles = {
  nodeKeyFile: null,
  nodeCertificateFile: null,
  nodeCertificateKeyFile: null,
  nodeAuthorityFile: null,
}
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoplex-security-'))
  for (const name of ['cert', 'key', 'ca']) await writeFile(join(folder, name), name)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('the address of a node', () => {
  it.each([
    ['10.0.0.7:7420', { host: '10.0.0.7', port: 7420 }],
    ['node-1.example:0', { host: 'node-1.example', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('%s is read and written as it was', (text, address) => {
    expect(parseNodeAddress(text)).toEqual(address)
    expect(formatNodeAddress(address)).toBe(text)
  })

  it.each(['', 'host', 'host:', ':1', 'host:65536', '::1:80', '[::1]', 'a b:1', 'host:1/path', 'http://a:1'])(
    '%j is refused',
    (text) => {
      expect(() => parseNodeAddress(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    },
  )

  it('survives being written and read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.nat(65_535), (host, port) => {
        expect(parseNodeAddress(formatNodeAddress({ host, port }))).toEqual({ host, port })
      }),
    )
  })
})

describe('what gateways and nodes know each other by', () => {
  it('is nothing where nothing is named', async () => {
    expect(await readNodeSecurity(none, folder)).toEqual({ key: null, tls: null })
  })

  it('is a key, whatever white space is around it', async () => {
    const key = newNodeKey()
    await writeFile(join(folder, 'shared'), `${key}\n`)
    expect((await readNodeSecurity({ ...none, nodeKeyFile: 'shared' }, folder)).key?.toString()).toBe(key)
  })

  it('is no short key, and no word of it is told', async () => {
    await writeFile(join(folder, 'short'), 'a secret word')
    const refusal = await readNodeSecurity({ ...none, nodeKeyFile: 'short' }, folder).catch(String)
    expect(refusal).toMatch('fewer than 32 bytes')
    expect(refusal).not.toMatch('secret word')
  })

  it('is no file that is not there', async () => {
    await expect(readNodeSecurity({ ...none, nodeKeyFile: 'gone' }, folder)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })

  it('is a certificate with its key and its authority, all or none', async () => {
    const files = { nodeCertificateFile: 'cert', nodeCertificateKeyFile: 'key', nodeAuthorityFile: 'ca' }
    const security = await readNodeSecurity({ ...none, ...files }, folder)
    expect(security.tls).toEqual({ cert: 'cert', key: 'key', ca: 'ca' })
    expect(tlsOptionsOf(security, 'node')).toMatchObject({ requestCert: true, rejectUnauthorized: true })
    expect(tlsOptionsOf(security, 'gateway')).toMatchObject({
      serverName: 'isoplex',
      rejectUnauthorized: true,
    })
    for (const missing of Object.keys(files))
      await expect(readNodeSecurity({ ...none, ...files, [missing]: null }, folder)).rejects.toThrow(
        'belong together',
      )
  })
})

describe('an address', () => {
  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['10.0.0.1', false],
    ['example.com', false],
  ])('%s is of this machine alone: %s', (host, own) => {
    expect(isOwnMachine(host)).toBe(own)
    const open = () => assertProtected({ key: null, tls: null }, { host, port: 1 })
    if (own) expect(open).not.toThrow()
    else expect(open).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(() => assertProtected({ key: Buffer.alloc(32), tls: null }, { host, port: 1 })).not.toThrow()
  })
})
