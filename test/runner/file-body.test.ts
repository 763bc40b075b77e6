import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FileValue, fileValue } from '../../runtime/define/file-value.ts'
import { file } from '../../runtime/define/schema.ts'
import { fileFromJson, fileToJson, readMultipart } from '../../runtime/runner/file-body.ts'
import { type FormField, formBody, formType } from '../replica/form-body.ts'
import { issuesOf } from '../replica/refused.ts'
import { bytesOf } from '../replica/request-head.ts'

describe('as JSON', () => {
  it('comes back as it went out', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const value = fileValue(new Uint8Array(bytes), 'image/png')
        expect(fileFromJson(file(), fileToJson(value), '')).toEqual(value)
      }),
    )
  })

  it('is a data URL', () => {
    expect(fileToJson(fileValue(Uint8Array.of(1, 2, 3), 'image/png'))).toBe('data:image/png;base64,AQID')
  })

  it.each([
    ['the only media type of the schema', ['image/png'], 'image/png'],
    ['unknown bytes where the schema has several', ['image/png', 'image/gif'], 'application/octet-stream'],
    ['unknown bytes where the schema has a family', ['image/*'], 'application/octet-stream'],
  ])('takes bare base64 text for %s', (_, mediaTypes, mediaType) => {
    expect(fileFromJson(file({ mediaTypes }), 'AQID', '')).toEqual(
      fileValue(Uint8Array.of(1, 2, 3), mediaType),
    )
  })

  it('takes the media type of a data URL, in any case', () => {
    expect(fileFromJson(file(), 'data:Image/GIF;base64,', '')).toEqual(
      fileValue(new Uint8Array(), 'image/gif'),
    )
  })

  it('takes base64 text of tens of megabytes', () => {
    const value = fileFromJson(file(), 'AAAA'.repeat(5_000_000), '') as { bytes: Uint8Array }
    expect(value.bytes).toHaveLength(15_000_000)
  })

  it.each([
    ['what is no base64', 'no base64!'],
    ['base64 of URLs, which is another alphabet', '-_-_'],
    ['a data URL of text', 'data:text/plain,hello'],
    ['a data URL of text with a comma', 'data:text/plain;charset=utf-8,aGVsbG8='],
    ['a data URL of what is no base64', 'data:image/png;base64,??'],
  ])('refuses %s', async (_, text) => {
    expect(await issuesOf(() => fileFromJson(file(), text, '/picture'))).toEqual([
      { path: '/picture', message: 'Expected base64 text, or a data: URL with base64 text' },
    ])
  })

  it.each([
    'data:png;base64,AQID',
    'data:a/b\r\nx: y;base64,AQID',
    'data:*/*;base64,AQID',
    'data:a b/c;base64,AQID',
  ])('refuses %j, whose media type could not be sent in a header', async (text) => {
    expect(await issuesOf(() => fileFromJson(file(), text, '/picture'))).toEqual([
      { path: '/picture', message: 'Expected a data: URL that names a media type' },
    ])
  })

  it.each([null, 5, {}, ['AQID'], undefined])('leaves %j for the schema to refuse', (json) => {
    expect(fileFromJson(file(), json, '')).toBe(json)
  })
})

describe('as a form', () => {
  const schema = Type.Object({
    picture: Type.Optional(file()),
    pictures: Type.Optional(Type.Array(file())),
    title: Type.Optional(Type.String()),
    count: Type.Optional(Type.Integer()),
    tags: Type.Optional(Type.Array(Type.String())),
    sizes: Type.Optional(Type.Array(Type.Number())),
    options: Type.Optional(Type.Object({ deep: Type.Boolean() })),
    kind: Type.Optional(Type.Union([Type.Literal('1'), Type.Literal('2'), Type.Number()])),
  })
  const read = (...fields: readonly FormField[]) => readMultipart(schema, formType, formBody(fields))

  it('reads files with their names and media types', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const more = '; filename="../a.png"\r\nContent-Type: Image/PNG; x=y'
    expect(read({ name: 'picture', value: bytes, more })).toEqual({
      picture: { bytes, mediaType: 'image/png', name: '../a.png' },
    })
  })

  it.each([
    ['no media type', ''],
    ['what is none', '\r\nContent-Type: nonsense'],
    ['one that breaks a header', '\r\nContent-Type: text/html\0<b>'],
  ])('takes a file with %s for unknown bytes', (_, more) => {
    const value = read({ name: 'picture', value: 'x', more: `; filename="a"${more}` })
    expect(value).toEqual({ picture: fileValue(bytesOf('x'), 'application/octet-stream', 'a') })
  })

  it('takes texts as texts where the schema takes a text, else as JSON', () => {
    expect(
      read(
        { name: 'title', value: '5' },
        { name: 'count', value: '5' },
        { name: 'options', value: '{"deep":true}' },
        { name: 'kind', value: '2' },
        { name: 'other', value: '5' },
      ),
    ).toEqual({ title: '5', count: 5, options: { deep: true }, kind: '2', other: '5' })
  })

  it('leaves what is no JSON for the schema to refuse', () => {
    expect(read({ name: 'count', value: 'five' })).toEqual({ count: 'five' })
  })

  it('makes a list of a field that comes several times', () => {
    const more = '; filename="a"\r\nContent-Type: image/png'
    expect(
      read(
        { name: 'tags', value: '1' },
        { name: 'sizes', value: '1' },
        { name: 'pictures', value: 'x', more },
        { name: 'tags', value: 'b' },
        { name: 'sizes', value: '2.5' },
        { name: 'pictures', value: 'y', more },
      ),
    ).toEqual({
      tags: ['1', 'b'],
      sizes: [1, 2.5],
      pictures: [fileValue(bytesOf('x'), 'image/png', 'a'), fileValue(bytesOf('y'), 'image/png', 'a')],
    })
  })

  it('makes a list of one where the schema is an array', () => {
    expect(read({ name: 'tags', value: 'a' })).toEqual({ tags: ['a'] })
  })

  it('passes on no first of several where the schema has one: it is for the schema to refuse', () => {
    const value = read({ name: 'title', value: 'a' }, { name: 'title', value: 'b' })
    expect(value).toEqual({ title: ['a', 'b'] })
  })

  it('makes a property of its own of every name', () => {
    const value = read(
      { name: '__proto__', value: '{"admin":true}' },
      { name: 'constructor', value: 'c' },
      { name: 'toString', value: 't' },
    )
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toBe('{"admin":true}')
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.prototype).not.toHaveProperty('admin')
  })

  it('reads a hundred thousand fields in a moment', () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => ({ name: `f${index}`, value: '1' }))
    const body = formBody(fields)
    const started = performance.now()
    expect(Object.keys(readMultipart(schema, formType, body) as object)).toHaveLength(100_000)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it('takes a file field that was left empty for none', () => {
    const more = '; filename=""\r\nContent-Type: application/octet-stream'
    expect(read({ name: 'picture', value: '', more }, { name: 'title', value: '' })).toEqual({ title: '' })
  })

  it('takes an empty file with a name for a file', () => {
    const value = read({ name: 'picture', value: '', more: '; filename="a"\r\nContent-Type: image/png' })
    expect(value).toEqual({ picture: fileValue(new Uint8Array(), 'image/png', 'a') })
  })

  it('does not copy a file out of the body', () => {
    const body = formBody([{ name: 'picture', value: 'x', more: '; filename="a"' }])
    const { picture } = readMultipart(schema, formType, body) as { picture: FileValue }
    expect(picture.bytes.buffer).toBe(body.buffer)
  })

  it('refuses a text field that is no text, and names it', async () => {
    expect(await issuesOf(() => read({ name: 'a/b', value: Uint8Array.of(0xff, 0xfe) }))).toEqual([
      { path: '/a~1b', message: 'Expected text in UTF-8' },
    ])
  })

  it('refuses a body that is no form', async () => {
    expect(await issuesOf(() => readMultipart(schema, formType, bytesOf('{"title":"a"}')))).toEqual([
      { path: '', message: 'The body is not multipart/form-data with the boundary that its header names' },
    ])
  })
})
