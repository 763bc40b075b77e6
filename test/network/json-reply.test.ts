import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JsonReply, type JsonRequest, readJson, requestJson } from '../../runtime/network/json-reply.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { startHostileServer } from '../support/hostile-server.ts'
import { fetchErrorOf } from './refusals.ts'

function read(text: string): unknown {
  return readJson(Buffer.from(text))
}

describe('a body that is to be JSON', () => {
  it('is JSON whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(read(JSON.stringify(value))).toEqual({
          kind: 'json',
          value: JSON.parse(JSON.stringify(value)),
        })
      }),
    )
  })

  it.each(['<!doctype html><title>Login</title>', ' \n<html>', '\uFEFF<p>', '<?xml version="1.0"?>'])(
    'is a page where it begins as %j',
    (text) => {
      expect(read(text)).toEqual({ kind: 'html' })
    },
  )

  it.each(['', 'OK', '{', '{"a":1}}', "{'a':1}", 'NaN', '{"a":"\u0000"}', '\u0000'])(
    'is broken as %j',
    (text) => {
      expect(read(text)).toEqual({ kind: 'broken', why: 'sends what is no JSON' })
    },
  )

  it('is broken where it is not UTF-8', () => {
    expect(readJson(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ kind: 'broken' })
  })

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('is broken where %s go down too far', (_, open, close) => {
    const nested = (levels: number): string =>
      `${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}`
    expect(read(nested(64))).toMatchObject({ kind: 'json' })
    for (const levels of [65, 100_000]) {
      expect(read(nested(levels))).toEqual({ kind: 'broken', why: 'sends JSON of more than 64 levels' })
    }
  })

  it('gives no object another prototype', () => {
    const { value } = read('{"__proto__":{"admin":true}}') as { value: { admin?: boolean } }
    expect(value.admin).toBeUndefined()
  })
})

describe('a request for JSON', () => {
  async function ask(behaviour: HostileBehaviour, options: Partial<JsonRequest> = {}): Promise<JsonReply> {
    await using server = await startHostileServer()
    server.reply('/', behaviour)
    const reply = await requestJson({
      url: server.url,
      policy: { origins: [server.url], hosts: [] },
      ...options,
    })
    expect(server.requests[0]?.headers.get('accept')).toBe(options.headers?.accept ?? 'application/json')
    return reply
  }

  it('tells of each reply its status and what its body is', async () => {
    const html = { 'content-type': 'application/json' }
    const cases: readonly (readonly [HostileBehaviour, number, unknown])[] = [
      [{ kind: 'json', value: { a: 1 } }, 200, { kind: 'json', value: { a: 1 } }],
      [{ kind: 'json', value: null, status: 500 }, 500, { kind: 'json', value: null }],
      [{ kind: 'reply', status: 200, body: '{"a":1}' }, 200, { kind: 'json', value: { a: 1 } }],
      [{ kind: 'reply', status: 502, body: '<html>' }, 502, { kind: 'html' }],
      [{ kind: 'reply', headers: html, body: '<html>' }, 200, { kind: 'html' }],
      [{ kind: 'reply', status: 204 }, 204, { kind: 'broken', why: 'sends what is no JSON' }],
    ]
    for (const [behaviour, status, body] of cases)
      expect(await ask(behaviour)).toMatchObject({ status, body })
  })

  it('asks for what is said', async () => {
    expect(
      (await ask({ kind: 'json', value: 1 }, { headers: { accept: 'application/jwk-set+json' } })).status,
    ).toBe(200)
  })

  it('refuses what is larger than a mebibyte, or than is said', async () => {
    const large: HostileBehaviour = { kind: 'json', value: 'x'.repeat(1_048_576) }
    expect((await fetchErrorOf(() => ask(large))).what).toBe('URL_REFUSED: too-large')
    expect((await ask(large, { maxBytes: 2_000_000 })).body.kind).toBe('json')
    const endless: HostileBehaviour = { kind: 'endless', chunk: '[{"a":1},' }
    expect((await fetchErrorOf(() => ask(endless))).what).toBe('URL_REFUSED: too-large')
  })
})
