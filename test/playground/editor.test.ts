import { describe, expect, it } from 'vitest'
import { chooseEditor } from '../../runtime/playground/editor.ts'

const numbers = (items: object, bounds: object = {}) => ({
  type: 'array',
  items: { type: 'number', ...items },
  ...bounds,
})
const unit = { minimum: 0, maximum: 1 }
const wave = { minimum: -1, maximum: 1 }
const exactly = (count: number) => ({ minItems: count, maxItems: count })

describe('chooseEditor', () => {
  it.each([
    [
      'a file',
      { type: 'string', 'x-file': { mediaTypes: ['image/*'], maxBytes: 9 } },
      { kind: 'file', mediaTypes: ['image/*'], maxBytes: 9 },
    ],
    [
      'base64 of one media type',
      { type: 'string', contentEncoding: 'base64', contentMediaType: 'image/png' },
      { kind: 'file', mediaTypes: ['image/png'], maxBytes: null },
    ],
    [
      'a tensor',
      { type: 'object', 'x-tensor': { type: 'float32', dims: ['n', 3] } },
      { kind: 'tensor', type: 'float32', dims: ['n', 3] },
    ],
    ['784 numbers from 0 to 1', numbers(unit, exactly(784)), { kind: 'drawing', side: 28 }],
    ['a number of numbers that is no square', numbers(unit, exactly(783)), { kind: 'numbers' }],
    ['a square of any numbers', numbers({}, exactly(784)), { kind: 'numbers' }],
    ['a square that is too small to draw on', numbers(unit, exactly(64)), { kind: 'numbers' }],
    ['up to a square of numbers', numbers(unit, { maxItems: 784 }), { kind: 'numbers' }],
    [
      'samples in kHz',
      numbers(wave, { maxItems: 480_000, description: 'Mono samples at 16 kHz; more.' }),
      { kind: 'sound', sampleRateHz: 16_000, maxSamples: 480_000 },
    ],
    [
      'samples in Hz',
      numbers(wave, { description: 'Samples at 44100 Hz' }),
      { kind: 'sound', sampleRateHz: 44_100, maxSamples: null },
    ],
    [
      'samples at a rate that no browser has',
      numbers(wave, { description: 'samples at 5 Hz' }),
      { kind: 'numbers' },
    ],
    [
      'numbers from -1 to 1 of something else',
      numbers(wave, { description: 'An embedding.' }),
      { kind: 'numbers' },
    ],
    ['many whole numbers', { type: 'array', items: { type: 'integer' } }, { kind: 'numbers' }],
    ['a few numbers', numbers({}, { maxItems: 4 }), { kind: 'list' }],
    ['a list of texts', { type: 'array', items: { type: 'string' } }, { kind: 'list' }],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }], items: false }, { kind: 'json' }],
    ['a list of anything', { type: 'array' }, { kind: 'json' }],
    ['an enum', { type: 'string', enum: ['a', 'b'] }, { kind: 'choice', choices: ['a', 'b'] }],
    [
      'variants',
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
      { kind: 'variants', variants: [{ type: 'string' }, { type: 'number' }] },
    ],
    ['an object', { type: 'object', properties: { a: {} } }, { kind: 'object' }],
    ['an object that says no type', { properties: { a: {} } }, { kind: 'object' }],
    ['a record', { type: 'object', additionalProperties: { type: 'number' } }, { kind: 'json' }],
    ['a boolean', { type: 'boolean' }, { kind: 'boolean' }],
    ['a whole number', { type: 'integer' }, { kind: 'number' }],
    ['a text', { type: 'string' }, { kind: 'text' }],
    ['null', { type: 'null' }, { kind: 'json' }],
    ['anything', {}, { kind: 'json' }],
  ])('for %s', (_, schema, editor) => {
    expect(chooseEditor(schema, {})).toEqual(editor)
  })

  it('follows a reference to the items', () => {
    const document = { components: { schemas: { Shade: { type: 'number', ...unit } } } }
    const schema = { type: 'array', items: { $ref: '#/components/schemas/Shade' }, ...exactly(256) }
    expect(chooseEditor(schema, document)).toEqual({ kind: 'drawing', side: 16 })
  })
})
