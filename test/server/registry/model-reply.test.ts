import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FoundModel } from '../../../runtime/model/backend.ts'
import { modelReply, versionFor } from '../../../runtime/server/registry/model-reply.ts'

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

describe('versionFor', () => {
  const found = (weights: readonly number[]): FoundModel => ({
    tenant: null,
    versions: weights.map((weight, index) => ({
      weight,
      record: {
        id: 'digits',
        version: String(index),
        artifact: { digest, url: null, checksum: null, sizeBytes: 1, stamp: digest },
        fields: {},
      },
    })),
  })

  it('is one of the versions, and the same for the same client', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(weights, fc.string(), (some, client) => {
        const { versions } = found(some)
        const chosen = versionFor({ tenant: null, versions }, client)
        expect(versions.map(({ record }) => record)).toContain(chosen)
        expect(versionFor({ tenant: null, versions }, client)).toBe(chosen)
      }),
    )
  })

  it('gives each version its share of many clients', () => {
    const clients = Array.from({ length: 10_000 }, (_, client) =>
      versionFor(found([90, 10]), `${client}/digits`),
    )
    const share = clients.filter(({ version }) => version === '1').length / clients.length
    expect(share).toBeGreaterThan(0.08)
    expect(share).toBeLessThan(0.12)
  })
})
