import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importKeyMaterial, importSigningKey, isPublicAlgorithm } from '../../runtime/auth/key-material.ts'
import type { TokenAlgorithm } from '../../runtime/config/token-issuer-config.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weakRsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed25519 = generateKeyPairSync('ed25519')
const x25519 = generateKeyPairSync('x25519')
const secret = Buffer.alloc(32, 7).toString('base64url')

const spki = ({ publicKey }: { publicKey: KeyObject }): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString()
const pkcs8 = ({ privateKey }: { privateKey: KeyObject }): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const publicJwk = ({ publicKey }: { publicKey: KeyObject }, more: object = {}): string =>
  JSON.stringify({ ...publicKey.export({ format: 'jwk' }), ...more })
const privateJwk = ({ privateKey }: { privateKey: KeyObject }, more: object = {}): string =>
  JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...more })
const octJwk = (k: string, more: object = {}): string => JSON.stringify({ kty: 'oct', k, ...more })

describe('importKeyMaterial', () => {
  it.each<[TokenAlgorithm, string, string]>([
    ['HS256', 'base64url', secret],
    ['HS256', 'base64url of a file', `${secret}\n`],
    ['HS256', 'base64url of more bytes', Buffer.alloc(100, 7).toString('base64url')],
    ['HS256', 'a JWK', octJwk(secret)],
    ['dir', 'base64url', secret],
    ['dir', 'a JWK', octJwk(secret, { use: 'enc', alg: 'dir' })],
    ['RS256', 'a PEM', spki(rsa)],
    ['RS256', 'a JWK', publicJwk(rsa, { use: 'sig', alg: 'RS256', key_ops: ['verify'] })],
    ['ES256', 'a PEM', spki(p256)],
    ['ES256', 'a JWK', publicJwk(p256)],
    ['EdDSA', 'a PEM', spki(ed25519)],
    ['EdDSA', 'a JWK', `\n ${publicJwk(ed25519)}`],
    ['ECDH-ES', 'a PEM', pkcs8(p256)],
    ['ECDH-ES', 'a JWK', privateJwk(p384)],
    ['ECDH-ES+A256KW', 'a PEM', pkcs8(x25519)],
    ['RSA-OAEP-256', 'a PEM', pkcs8(rsa)],
    ['RSA-OAEP-256', 'a JWK', privateJwk(rsa, { use: 'enc', key_ops: ['unwrapKey'] })],
  ])('takes a key for %s from %s', async (algorithm, _, text) => {
    const material = await importKeyMaterial(text, algorithm)
    expect(material?.id).toBeNull()
    const type = isPublicAlgorithm(algorithm)
      ? 'public'
      : /^(?:HS256|dir)$/.test(algorithm)
        ? 'secret'
        : 'private'
    expect(material?.key.type).toBe(type)
    if (type !== 'public') expect(material?.key.extractable).toBe(false)
  })

  it.each<[TokenAlgorithm, string, string]>([
    ['HS256', 'of 31 bytes', Buffer.alloc(31).toString('base64url')],
    ['HS256', 'that is a public key', spki(rsa)],
    ['HS256', 'that is the JWK of a public key', publicJwk(rsa)],
    ['HS256', 'with padding', `${secret}=`],
    ['HS256', 'of two lines', `${secret}\n${secret}\n`],
    ['HS256', 'that is nothing', ''],
    ['HS256', 'for encryption', octJwk(secret, { use: 'enc' })],
    ['HS256', 'without bytes', '{"kty":"oct"}'],
    ['dir', 'of 33 bytes', Buffer.alloc(33).toString('base64url')],
    ['RS256', 'of 1024 bits', spki(weakRsa)],
    ['RS256', 'of 1024 bits as a JWK', publicJwk(weakRsa)],
    ['RS256', 'that is private', pkcs8(rsa)],
    ['RS256', 'that is private as a JWK', privateJwk(rsa)],
    ['RS256', 'of a curve', spki(p256)],
    ['RS256', 'for RS512', publicJwk(rsa, { alg: 'RS512' })],
    ['RS256', 'to encrypt with', publicJwk(rsa, { key_ops: ['encrypt'] })],
    ['RS256', 'with operations that are none', publicJwk(rsa, { key_ops: 5 })],
    ['RS256', 'that is a secret', secret],
    ['RS256', 'that is no JSON', '{'],
    ['RS256', 'that is cut off', spki(rsa).slice(0, 100)],
    ['ES256', 'of another curve', spki(p384)],
    ['ES256', 'of another curve as a JWK', publicJwk(p384)],
    ['EdDSA', 'that agrees on keys', spki(x25519)],
    ['EdDSA', 'of ES256', spki(p256)],
    ['ECDH-ES', 'that is public', spki(p256)],
    ['ECDH-ES', 'that is public as a JWK', publicJwk(p256)],
    ['ECDH-ES', 'that signs', pkcs8(ed25519)],
    ['ECDH-ES', 'of RSA', pkcs8(rsa)],
    ['RSA-OAEP-256', 'of 1024 bits', pkcs8(weakRsa)],
    ['RSA-OAEP-256', 'of a curve', privateJwk(p256)],
    ['RSA-OAEP-256', 'that is for signatures', privateJwk(rsa, { use: 'sig' })],
  ])('takes no key for %s %s', async (algorithm, _, text) => {
    expect(await importKeyMaterial(text, algorithm)).toBeNull()
  })

  it('knows the id that a JWK names', async () => {
    expect(await importKeyMaterial(publicJwk(p256, { kid: 'a' }), 'ES256')).toMatchObject({ id: 'a' })
    expect(await importKeyMaterial(octJwk(secret, { kid: 'b' }), 'HS256')).toMatchObject({ id: 'b' })
    expect(await importKeyMaterial(publicJwk(p256, { kid: 5 }), 'ES256')).toMatchObject({ id: null })
  })
})

describe('a certificate', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'isoplex-certificate-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('gives the public key that it is about', async () => {
    const [keyFile, file] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile]
    execFileSync('openssl', ['req', '-x509', ...curve, '-out', file, '-subj', '/CN=a', '-days', '1'], {
      stdio: 'ignore',
    })
    const certificate = readFileSync(file, 'utf8')
    expect((await importKeyMaterial(certificate, 'ES256'))?.key.algorithm).toMatchObject({
      namedCurve: 'P-256',
    })
    expect(await importKeyMaterial(certificate, 'RS256')).toBeNull()
    expect(await importSigningKey(readFileSync(keyFile, 'utf8'))).toMatchObject({
      algorithm: 'ES256',
      id: null,
    })
  })
})

describe('importSigningKey', () => {
  it.each([
    ['RS256', pkcs8(rsa)],
    ['ES256', pkcs8(p256)],
    ['EdDSA', pkcs8(ed25519)],
    ['RS256', privateJwk(rsa)],
    ['ES256', privateJwk(p256, { alg: 'ES256', use: 'sig', key_ops: ['sign'] })],
    ['EdDSA', privateJwk(ed25519)],
  ])('finds the algorithm %s of a private key', async (algorithm, text) => {
    const found = await importSigningKey(text)
    expect(found).toMatchObject({ algorithm, id: null })
    expect(found?.key.usages).toContain('sign')
    expect(found?.key.extractable).toBe(false)
  })

  it.each([
    ['a public key', spki(p256)],
    ['a public JWK', publicJwk(p256)],
    ['a weak key', pkcs8(weakRsa)],
    ['a curve of no algorithm here', pkcs8(p384)],
    ['a key that agrees on keys', pkcs8(x25519)],
    ['a key to verify with', privateJwk(p256, { key_ops: ['verify'] })],
    ['a secret', secret],
    ['a secret JWK', octJwk(secret)],
    ['nothing', ''],
  ])('refuses %s', async (_, text) => {
    expect(await importSigningKey(text)).toBeNull()
  })
})
