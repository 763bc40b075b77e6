import { type TSchema, Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { tensorOf } from '../../runtime/define/schema.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { createEncoder, type Reply } from '../../runtime/runner/encoder.ts'
import { concat, takeApart, writeForm } from '../../runtime/runner/form-parts.ts'
import { isFilledForm, valueOfForm } from '../../runtime/runner/form-value.ts'
import { parseMultipart } from '../../runtime/runner/multipart.ts'
import { issuesOf } from '../replica/refused.ts'
import { headOf } from '../replica/request-head.ts'

const picture = fileValue(Uint8Array.of(0, 13, 10, 45, 45), 'image/png', 'a "b"\\c\r\n.png')
const scores = tensor('float32', Float32Array.of(1, Number.NaN), [2])
const words = tensor('string', ['a', 'ä'], [2])

/** Encodes a result by its schema. */
function encode(result: unknown, output: TSchema | null, accept: string): Reply {
  const handler = (() => null) as never
  const definition = output ? defineFunction({ output, handler }) : defineFunction({ handler })
  return createEncoder(definition)(result, headOf({ accept }))
}

async function bytesOfBody({ body }: Reply): Promise<Uint8Array> {
  return await new Response(body as BodyInit).bytes()
}

async function textOf(reply: Reply): Promise<string> {
  return new TextDecoder().decode(await bytesOfBody(reply))
}

const headerOf = (reply: Reply, name: string): string | undefined =>
  reply.head.headers.find(([header]) => header === name)?.[1]

/** Writes a value as a form and reads that again. */
function roundTrip(value: unknown): unknown {
  const { contentType, bytes } = writeForm(takeApart(value))
  const parts = parseMultipart(contentType, bytes)
  expect(isFilledForm(parts)).toBe(true)
  return valueOfForm(parts)
}

describe('takeApart', () => {
  it('leaves null where a tensor or file stood, and the value as it was', () => {
    const value = { list: [1, { picture }], 'a/b~%': scores }
    const { rest, parts } = takeApart(value)
    expect(rest).toEqual({ list: [1, { picture: null }], 'a/b~%': null })
    expect(parts).toEqual([
      { pointer: '/list/1/picture', value: picture },
      { pointer: '/a~1b~0%25', value: scores },
    ])
    expect(value).toEqual({ list: [1, { picture }], 'a/b~%': scores })
  })

  it('takes what else it is asked for', () => {
    const isDate = (value: object): value is Date => value instanceof Date
    expect(takeApart({ at: new Date(0) }, isDate)).toEqual({
      rest: { at: null },
      parts: [{ pointer: '/at', value: new Date(0) }],
    })
  })

  it('leaves what has a JSON form of its own to it', () => {
    const date = new Date(0)
    expect(takeApart({ date })).toEqual({ rest: { date }, parts: [] })
  })

  it('refuses a value that holds itself', () => {
    const value: Record<string, unknown> = {}
    value.self = value
    expect(() => takeApart(value)).toThrow(TypeError)
  })

  it('keeps a name that every object has', () => {
    const value = JSON.parse('{"__proto__":{"a":1}}')
    expect(JSON.stringify(takeApart(value).rest)).toBe('{"__proto__":{"a":1}}')
  })
})

describe('a form', () => {
  it('gives back files and tensors of any depth', () => {
    const value = { list: [{ picture }, { scores, words }], name: 'ä', none: null }
    expect(roundTrip(value)).toEqual(value)
  })

  it('gives back whatever JSON holds, under any names', () => {
    const names = fc.string({ unit: 'grapheme' })
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(picture, scores, words, null, 'a', 1),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(names, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(fc.array(tree), (value) => {
        expect(roundTrip(value)).toEqual(value)
      }),
    )
  })

  it('gives back names with line separators and backslashes', () => {
    for (const name of ['a\u2028b', '\u2029', '\\\u2028"', 'a\\', '\u0085', '%\r\n']) {
      const value = { file: fileValue(Uint8Array.of(1), 'a/b', name) }
      expect(roundTrip(value)).toEqual(value)
    }
  })

  it('gives back any bytes and any file name', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: 'grapheme', minLength: 1 }), (bytes, name) => {
        // A percent sign before such digits is what browsers write for others; they have no way to tell.
        fc.pre(!/%(?:0A|0D|22)/i.test(name))
        const value = { file: fileValue(new Uint8Array(bytes), 'a/b', name) }
        expect(roundTrip(value)).toEqual(value)
      }),
    )
  })
})

it('puts bytes one after the other', () => {
  expect(concat([])).toEqual(new Uint8Array())
  expect(concat([Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3))
})

describe('a result that holds files and tensors', () => {
  const Output = Type.Object({ rows: Type.Array(Type.Object({ scores: tensorOf('float32', [2]) })) })
  const value = { rows: [{ scores }] }

  it('is a form for whoever takes one', async () => {
    const reply = encode(value, Output, 'application/json, multipart/form-data')
    const contentType = headerOf(reply, 'content-type') ?? ''
    const parts = parseMultipart(contentType, new Uint8Array(await bytesOfBody(reply)))
    expect(valueOfForm(parts)).toEqual(value)
  })

  it('is JSON for anybody else', async () => {
    const reply = encode(value, Output, '*/*')
    expect(headerOf(reply, 'content-type')).toBe('application/json')
    expect(await textOf(reply)).toContain('"NaN"')
  })

  it('is JSON where it holds none after all', async () => {
    const reply = encode({ rows: [] }, Output, 'multipart/form-data')
    expect(await textOf(reply)).toBe('{"rows":[]}')
  })

  it('is a form without an output schema too, at any depth', async () => {
    const reply = encode(value, null, 'multipart/form-data')
    const parts = parseMultipart(
      headerOf(reply, 'content-type') ?? '',
      new Uint8Array(await bytesOfBody(reply)),
    )
    expect(valueOfForm(parts)).toEqual(value)
    expect(await textOf(encode([1], null, 'multipart/form-data'))).toBe('[1]')
  })

  it('is no form where it is a file or tensor itself', async () => {
    expect(headerOf(encode(picture, null, 'multipart/form-data'), 'content-type')).toBe('image/png')
    expect(headerOf(encode(scores, null, 'multipart/form-data'), 'content-type')).toBe('application/json')
  })

  it('is still checked', async () => {
    const wrong = { rows: [{ scores: tensor('float32', new Float32Array(3), [3]) }] }
    expect(await issuesOf(() => encode(wrong, Output, 'multipart/form-data'))).toHaveLength(1)
  })
})

it('sends a tensor of texts with its shape in the headers to whoever takes forms', async () => {
  const reply = encode(words, tensorOf('string', [null]), 'application/json, multipart/form-data')
  expect(headerOf(reply, 'x-tensor-dims')).toBe('2')
  expect(await textOf(reply)).toBe('["a","ä"]')
  expect(await textOf(encode(words, tensorOf('string', [null]), 'application/octet-stream'))).toContain(
    '"dims":[2]',
  )
})
