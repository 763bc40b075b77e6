import { describe, expect, it } from 'vitest'
import { fileValue, isFileValue, isMediaType } from '../../runtime/define/file-value.ts'

describe('fileValue', () => {
  it('makes a frozen file', () => {
    const bytes = Uint8Array.of(1, 2)
    const value = fileValue(bytes, 'Image/PNG', 'a.png')
    expect(value).toEqual({ bytes, mediaType: 'image/png', name: 'a.png' })
    expect(value.bytes).toBe(bytes)
    expect(Object.isFrozen(value)).toBe(true)
    expect(isFileValue(value)).toBe(true)
  })

  it('has no name unless it is given one', () => {
    expect(fileValue(new Uint8Array(1), 'image/png').name).toBe(null)
  })

  it.each(['', 'png', 'image/*', 'image/png; charset=utf-8', 'a/b\r\nx: y', ' image/png', 'image/png/x'])(
    'refuses the media type %j',
    (mediaType) => {
      expect(() => fileValue(new Uint8Array(), mediaType)).toThrow(TypeError)
      expect(() => fileValue(new Uint8Array(), mediaType)).toThrow('"mediaType"')
    },
  )
})

describe('isMediaType', () => {
  it.each(['image/png', 'application/vnd.api+json', 'x/y', 'model/gltf-binary', 'A/B'])(
    'takes %s',
    (text) => {
      expect(isMediaType(text)).toBe(true)
    },
  )

  it.each(['*/*', 'image/*', 'image', '/', 'a/', '/b', 'a/b,c/d', 'a/b\0', 'ä/b', 'a/b\n'])(
    'refuses %j',
    (text) => {
      expect(isMediaType(text)).toBe(false)
    },
  )
})
