import { generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createProjectKey, type ProjectKey } from '../../runtime/auth/project-key.ts'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import type { CallOptions, Reply } from '../support/server.ts'

const claims = { model: 'five' }
const soon = Math.floor(Date.now() / 1000) + 600
const past = soon - 1200

let besieged: BesiegedServer
let key: ProjectKey
let good: string

beforeAll(async () => {
  besieged = await besiege({
    'functions/add.ts': adding,
    'functions/_models/five/model.onnx': addConstantModel(5),
  })
  ;[key] = await loadProjectKeys(`${besieged.project.directory}/.isoplex`)
  good = besieged.sent(await besieged.server.token('five'))
})
afterEach(() => besieged.expectUnharmed())
afterAll(() => besieged[Symbol.asyncDispose]())

function callWith(options: CallOptions): Promise<Reply> {
  return besieged.server.call('/add', { json: { x: 1 }, ...options })
}

function callWithToken(token: string): Promise<Reply> {
  return callWith({ token: besieged.sent(token) })
}

/** A token of the project's own key, unless another one is given. */
function sign(
  more: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
  secret: CryptoKey = key.secret,
): Promise<string> {
  return new SignJWT({ ...claims, exp: soon, ...more })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.id, ...header })
    .sign(secret)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function expectRefused(reply: Reply, token: string, reason: string): void {
  expect(reply).toMatchObject({ status: 401, json: { code: 'TOKEN_INVALID', status: 401, reason } })
  expect(reply.headers.get('content-type')).toBe('application/problem+json')
  expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer realm="isoplex", error="invalid_token"/)
  expect(JSON.stringify([...reply.headers]) + reply.text).not.toContain(token)
}

describe('a request without a good token', () => {
  it('is answered with 401 and the scheme where it has none', async () => {
    const reply = await callWith({})
    expect(reply).toMatchObject({ status: 401, json: { code: 'TOKEN_MISSING', status: 401 } })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="isoplex"')
  })

  it.each([
    ['a word', 'secret-word'],
    ['one dot', `${encode({ alg: 'HS256' })}.${encode(claims)}`],
    ['four dots', 'a.b.c.d.e'],
    ['another alphabet', 'aß.b.c'],
    ['a header that is no JSON', `bm90IGpzb24.${encode(claims)}.c2lnbmF0dXJl`],
    ['16,385 characters', `${'a'.repeat(16_381)}.b.c`],
  ])('is refused as malformed where it is %s', async (_, token) => {
    expectRefused(await callWithToken(token), token, 'malformed')
  })

  it.each([
    [
      'the key of another project',
      async () => sign({}, {}, (await createProjectKey(new Uint8Array(32))).secret),
    ],
    ['another key that is named', () => sign({}, { kid: 'another' })],
    [
      'a signature of another token',
      async () => `${good.slice(0, good.lastIndexOf('.'))}.${(await sign({})).split('.')[2]}`,
    ],
    [
      'other claims under the signature',
      () => [good.split('.')[0], encode({ ...claims, exp: soon + 1 }), good.split('.')[2]].join('.'),
    ],
    ['no signature', () => good.slice(0, good.lastIndexOf('.') + 1)],
    [
      'a signature in another spelling',
      // The last letter of a signature has two bits to spare.
      () => good.slice(0, -1) + String.fromCharCode(good.charCodeAt(good.length - 1) + 1),
    ],
  ])('is refused for its signature with %s', async (_, make) => {
    const token = await make()
    expectRefused(await callWithToken(token), token, 'signature')
  })

  it.each([
    ['none', () => `${encode({ alg: 'none' })}.${encode({ ...claims, exp: soon })}.`],
    ['none in other letters', () => `${encode({ alg: 'nOnE' })}.${encode({ ...claims, exp: soon })}.`],
    [
      'HS512',
      async () => {
        const secret = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-512' }, true, ['sign'])
        return sign({}, { alg: 'HS512' }, secret)
      },
    ],
    ['ES256', async () => sign({}, { alg: 'ES256' }, (await generateKeyPair('ES256')).privateKey)],
  ])('is refused for the algorithm %s', async (_, make) => {
    const token = await make()
    expectRefused(await callWithToken(token), token, 'algorithm')
  })

  it.each([
    ['expired', 'expired', { exp: past }],
    ['early', 'not good yet', { nbf: soon }],
    ['claims', 'without an end', { exp: undefined }],
    ['claims', 'without a model', { model: undefined }],
    ['claims', 'with a number for its model', { model: 5 }],
    ['claims', 'with a model of several lines', { model: 'five\n' }],
    ['claims', 'meant for another server', { aud: 'elsewhere' }],
  ])('is refused as %s where it is %s', async (reason, _, more) => {
    const token = await sign(more)
    expectRefused(await callWithToken(token), token, reason)
  })

  it('is refused where it carries two different tokens, though both are good', async () => {
    const other = besieged.sent(await besieged.server.token('five', 'tenant'))
    for (const headers of [{ authorization: `Bearer ${other}` }, { 'serve-multiplexed-model-id': other }]) {
      const reply = await callWith({ token: good, headers })
      expectRefused(reply, other, 'claims')
      expect(reply.text).not.toContain(good)
    }
  })

  it('is refused where a bad token comes to a function that needs none', async () => {
    const token = besieged.sent('secret-word')
    const reply = await besieged.server.call('/witness', { json: { x: 1 }, token })
    expectRefused(reply, token, 'malformed')
  })
})

describe('a request with a good token', () => {
  it.each([
    ['with underscores', () => ({ serve_multiplexed_model_id: good })],
    ['with hyphens', () => ({ 'Serve-Multiplexed-Model-Id': good })],
    ['as a bearer token', () => ({ authorization: `bearer ${good}` })],
    ['in two places', () => ({ serve_multiplexed_model_id: good, authorization: `Bearer ${good}` })],
    ['beside another scheme', () => ({ serve_multiplexed_model_id: good, authorization: 'Basic YTpi' })],
  ])('is answered where the token comes %s', async (_, headers) => {
    expect(await callWith({ headers: headers() })).toMatchObject({ status: 200, json: { y: 6 } })
  })

  it.each(['unknown', 'Five', '../five', '%2e%2e', 'five\u202e'])(
    'is answered with 404 where nobody knows the model %j',
    async (model) => {
      const reply = await callWithToken(await besieged.server.token(model))
      expect(reply).toMatchObject({ status: 404, json: { code: 'MODEL_NOT_FOUND', status: 404, model } })
      expect(reply.headers.get('content-type')).toBe('application/problem+json')
    },
  )
})
