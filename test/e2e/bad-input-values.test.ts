import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import type { Reply } from '../support/server.ts'

/** A public function of this input that gives back what it took, or what `result` makes of it. */
const echo = (schema: string, result = 'input'): string => `
import { Type } from '@sinclair/typebox'
import { defineFunction, tensorOf } from 'isoplex'

export default defineFunction({ access: 'public', input: ${schema}, handler: ({ input }) => ${result} })
`

const tensorFacts = '({ type: input.x.type, dims: input.x.dims, data: [...input.x.data].map(String) })'

let besieged: BesiegedServer

beforeAll(async () => {
  besieged = await besiege({
    'functions/number.ts': echo('Type.Object({ x: Type.Number() })'),
    'functions/numbers.ts': echo('Type.Array(Type.Number())', 'input.length'),
    'functions/open.ts': echo('Type.Unknown()'),
    'functions/member.ts': echo('Type.Object({ x: Type.Any(), y: Type.Number({ default: 1 }) })'),
    'functions/tree.ts': echo('Type.Recursive((Self) => Type.Object({ x: Type.Optional(Self) }))'),
    'functions/floats.ts': echo("Type.Object({ x: tensorOf('float32', ['rows', 2]) })", tensorFacts),
    'functions/bytes.ts': echo("Type.Object({ x: tensorOf('int8', [2, 2]) })", tensorFacts),
    'functions/lone.ts': echo("tensorOf('float32', ['rows', 2])", 'input.dims'),
  })
})
afterEach(() => besieged.expectUnharmed())
afterAll(() => besieged[Symbol.asyncDispose]())

function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  contentType = 'application/json',
): Promise<Reply> {
  return besieged.server.call(path, { method: 'POST', body, headers: { 'content-type': contentType } })
}

function expectIssues(reply: Reply, ...issues: readonly (readonly [path: string, message: unknown])[]): void {
  expect(reply.headers.get('content-type')).toBe('application/problem+json')
  expect(reply.json).toMatchObject({
    code: 'INPUT_INVALID',
    issues: issues.map(([path, message]) => ({ path, message })),
  })
  expect(reply.status).toBe(422)
}

describe('a body that is no JSON gets 422', () => {
  it.each([
    ['nothing', '', /is empty/],
    ['half of it', '{"x":', /not JSON/],
    ['a word', 'hello', /not JSON/],
    ['something behind it', '{"x":1} {"x":2}', /not JSON/],
    ['a comma too many', '{"x":1,}', /not JSON/],
    ['a zero byte', '\0', /not JSON/],
    ['NaN', '{"x":NaN}', /not JSON/],
    ['Infinity', '{"x":-Infinity}', /not JSON/],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), /not JSON/],
    ['UTF-16', new Uint8Array(Buffer.from('{"x":1}', 'utf16le')), /not JSON/],
    ['100,000 arrays without an end', '['.repeat(100_000), /not JSON/],
  ])('where it is %s', async (_, body, message) => {
    expectIssues(await post('/number', body), ['', expect.stringMatching(message)])
  })
})

describe('a value that does not fit gets 422', () => {
  it.each([
    ['another type', '/number', '[]', [['', 'Expected object']]],
    ['a missing member', '/number', '{}', [['/x', 'Expected required property']]],
    ['text for a number', '/number', '{"x":"1"}', [['/x', 'Expected number']]],
    ['a number beyond all numbers', '/number', '{"x":1e999}', [['/x', 'Expected number']]],
    [
      'members that only look inherited',
      '/number',
      '{"__proto__":{"x":1}}',
      [['/x', 'Expected required property']],
    ],
    [
      'several places',
      '/numbers',
      '[1,"a",2,null]',
      [
        ['/1', 'Expected number'],
        ['/3', 'Expected number'],
      ],
    ],
  ] as const)('for %s, with the path: %s %s', async (_, path, body, issues) => {
    expectIssues(await post(path, body), ...issues)
  })

  it('with its first 32 places, however many there are', async () => {
    const reply = await post('/numbers', JSON.stringify(Array(150_000).fill('a')))
    expectIssues(
      reply,
      ...Array.from({ length: 32 }, (_, index) => [`/${index}`, 'Expected number'] as const),
    )
  })
})

describe('100,000 levels', () => {
  const arrays = '['.repeat(100_000) + ']'.repeat(100_000)
  const objects = `${'{"x":'.repeat(100_000)}{}${'}'.repeat(100_000)}`

  it.each([
    ['arrays for an object', '/number', arrays],
    ['objects for a number', '/number', objects],
    ['arrays for anything', '/open', arrays],
    ['objects for anything', '/open', objects],
    ['arrays for any member', '/member', `{"x":${arrays}}`],
    ['objects for any member', '/member', objects],
    ['arrays beside what is asked for', '/number', `{"x":1,"more":${arrays}}`],
    ['objects for a tree', '/tree', objects],
    ['arrays for a tensor', '/floats', `{"x":{"dims":[1,2],"data":${arrays}}}`],
  ])('of %s get 422: %s', async (_, path, body) => {
    expect(await post(path, body)).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID' } })
  })

  it.each([
    ['/open', '['.repeat(100) + ']'.repeat(100)],
    ['/tree', `${'{"x":'.repeat(100)}{}${'}'.repeat(100)}`],
  ])('are too many, 100 are not: %s', async (path, body) => {
    expect(await post(path, body)).toMatchObject({ status: 200, text: body })
  })
})

describe('a tensor in JSON gets 422', () => {
  it.each([
    ['no tensor', '5', '/x', /^Expected a tensor/],
    ['bare values', '[[1,2]]', '/x', /^Expected a tensor/],
    ['a negative dimension', '{"dims":[-1,2],"data":[]}', '/x', /^Expected a tensor/],
    ['half a dimension', '{"dims":[0.5,2],"data":[1]}', '/x', /^Expected a tensor/],
    ['another type', '{"type":"float64","dims":[1,2],"data":[1,2]}', '/x/type', /float32.*float64/],
    ['another shape', '{"dims":[1,3],"data":[1,2,3]}', '/x/dims', /\[rows, 2\].*\[1, 3\]/],
    ['fewer dimensions', '{"dims":[2],"data":[1,2]}', '/x/dims', /\[rows, 2\].*\[2\]/],
    ['100,000 dimensions', `{"dims":[${'1,'.repeat(99_999)}1],"data":[1]}`, '/x/dims', /\[rows, 2\].*\[1, 1/],
    ['too few values', '{"dims":[2,2],"data":[1,2,3]}', '/x/data', /\[2, 2\].* 4 values; got 3/],
    ['a shape beyond all memory', '{"dims":[9007199254740991,2],"data":[1]}', '/x/data', /got 1/],
    ['text for a value', '{"dims":[1,2],"data":[1,"two"]}', '/x/data/1', /float32/],
    ['nothing for a value', '{"dims":[1,2],"data":[null,1]}', '/x/data/0', /float32/],
  ])('for %s, with its name and both shapes', async (_, tensor, path, message) => {
    expectIssues(await post('/floats', `{"x":${tensor}}`), [path, expect.stringMatching(message)])
  })

  it.each([
    ['a value out of range', '[1,2,3,128]', '/x/data/3'],
    ['a fraction', '[1,2.5,3,4]', '/x/data/1'],
    ['NaN', '[1,2,3,"NaN"]', '/x/data/3'],
    ['an infinity', '[1e999,2,3,4]', '/x/data/0'],
  ])('for %s among whole numbers', async (_, data, path) => {
    const reply = await post('/bytes', `{"x":{"dims":[2,2],"data":${data}}}`)
    expectIssues(reply, [path, expect.stringContaining('int8')])
  })

  it('but not for NaN and the infinities among floating numbers, written as text', async () => {
    const reply = await post('/floats', '{"x":{"dims":[2,2],"data":["NaN","Infinity","-Infinity",1e999]}}')
    expect(reply).toMatchObject({
      status: 200,
      json: { type: 'float32', dims: [2, 2], data: ['NaN', 'Infinity', '-Infinity', 'Infinity'] },
    })
  })
})

describe('a tensor in bytes gets 422', () => {
  const octets = 'application/octet-stream'

  it.each([
    ['a broken value', '/floats', 9, '/x', /^9 bytes .*float32.*\[rows, 2\]/],
    ['half a row', '/floats', 12, '/x', /^12 bytes .*float32.*\[rows, 2\]/],
    ['too few', '/bytes', 3, '/x', /^3 bytes .*int8.*\[2, 2\]/],
    ['too many', '/bytes', 5, '/x', /^5 bytes .*int8.*\[2, 2\]/],
    ['none', '/bytes', 0, '/x', /^0 bytes .*int8.*\[2, 2\]/],
    ['too few for a tensor that is all of the input', '/lone', 7, '', /^7 bytes .*float32.*\[rows, 2\]/],
  ])('for %s, with its name and both shapes', async (_, path, length, pointer, message) => {
    const reply = await post(path, new Uint8Array(length), octets)
    expectIssues(reply, [pointer, expect.stringMatching(message)])
  })

  it('but not for whole rows, NaN among them', async () => {
    const bytes = new Uint8Array(Float32Array.of(1, Number.NaN).buffer)
    expect(await post('/floats', bytes, octets)).toMatchObject({
      status: 200,
      json: { dims: [1, 2], data: ['1', 'NaN'] },
    })
  })
})

describe('NaN and the infinities', () => {
  it('that a number of JSON stands for become null in a result that no schema checks', async () => {
    expect(await post('/open', '[1e999,-1e999,1]')).toMatchObject({ status: 200, text: '[null,null,1]' })
  })
})
