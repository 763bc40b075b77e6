import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createProjectKey, type ProjectKeys } from '../../runtime/auth/project-key.ts'
import { openBytes, sealBytes } from '../../runtime/auth/sealed-bytes.ts'

const key = await createProjectKey(new Uint8Array(32).fill(1))
const other = await createProjectKey(new Uint8Array(32).fill(2))
const retired = await createProjectKey(new Uint8Array(32).fill(3), 1_000)

describe('sealed bytes', () => {
  it('are opened by the key and for the purpose that sealed them', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.string(), (bytes, purpose, wrong) => {
        const sealed = sealBytes([key], bytes, purpose)
        const opened = openBytes([other, key], sealed, purpose)
        expect(opened).toEqual({ kind: 'opened', bytes: Uint8Array.from(bytes) })
        expect(openBytes([other], sealed, purpose)).toEqual({ kind: 'keyless' })
        fc.pre(wrong !== purpose)
        expect(openBytes([key], sealed, wrong)).toEqual({ kind: 'altered' })
      }),
    )
  })

  it('that were altered anywhere are not opened', () => {
    const sealed = sealBytes([key], new Uint8Array(20), 'p')
    for (const index of sealed.keys()) {
      const altered = sealed.map((byte, at) => (at === index ? byte ^ 1 : byte))
      expect(openBytes([key], altered, 'p').kind).not.toBe('opened')
    }
    expect(openBytes([key], sealed.subarray(0, 20), 'p')).toEqual({ kind: 'keyless' })
  })

  it('are opened as long as their key counts', () => {
    const keys: ProjectKeys = [retired]
    const sealed = sealBytes(keys, new Uint8Array(1), 'p')
    expect(openBytes(keys, sealed, 'p', 999).kind).toBe('opened')
    expect(openBytes(keys, sealed, 'p', 1_000)).toEqual({ kind: 'keyless' })
  })
})
