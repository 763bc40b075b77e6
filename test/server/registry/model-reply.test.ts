import { describe, expect, it } from 'vitest'
import { modelReply } from '../../../runtime/server/registry/model-reply.ts'

const digest = 'a'.repeat(64)

describe('modelReply', () => {
  const reply = (id: string, fields = {}) =>
    modelReply({
      record: { id, version: '3', fields },
      digest,
      sizeBytes: 5,
      tenant: 'acme',
      file: 'http://a/b',
    })

  it('is what clients of Synapse read, with the fields beside', () => {
    expect(reply('digits', { labels: ['a'] })).toEqual({
      id: 'digits',
      name: 'digits',
      version: '3',
      file: 'http://a/b',
      checksum: `sha256:${digest}`,
      size: 5,
      tenant: 'acme',
      labels: ['a'],
    })
  })

  it('lets no field take the place of what is compulsory', () => {
    expect(reply('digits', { id: 9, file: 'http://evil/', checksum: '' })).toMatchObject({
      id: 'digits',
      file: 'http://a/b',
      checksum: `sha256:${digest}`,
    })
  })

  it.each([
    ['123', 123],
    ['0', 0],
    ['007', '007'],
    ['1e3', '1e3'],
    ['9'.repeat(16), '9'.repeat(16)],
  ])('writes the id %s as %j', (id, written) => {
    expect(reply(id).id).toBe(written)
  })
})
