import { describe, expect, it } from 'vitest'
import type { BrokenFunction, Manifest } from '../../runtime/build/manifest.ts'
import { compareManifests } from '../../runtime/cli/manifest-change.ts'
import { sampleFunction } from '../build/manifest-samples.ts'

const empty: Manifest = { functions: [], broken: [] }
const hello = sampleFunction('hello')
const digits = sampleFunction('digits')

function broken(file: string, reason = 'It is wrong.'): BrokenFunction {
  return { file, place: { file, line: 1, column: 2 }, reason, served: true }
}

describe('compareManifests', () => {
  it('finds nothing between equal ones', () => {
    const manifest = { functions: [hello], broken: [broken('functions/x.ts')] }
    expect(compareManifests(manifest, structuredClone(manifest))).toEqual({
      added: [],
      changed: [],
      removed: [],
      broken: [],
      mended: [],
    })
  })

  it('finds what is new, changed and gone', () => {
    const last = { functions: [hello, digits], broken: [] }
    const next = { functions: [{ ...hello, bundle: 'hello-2.js' }, sampleFunction('more')], broken: [] }
    expect(compareManifests(last, next)).toMatchObject({
      added: ['more'],
      changed: ['hello'],
      removed: ['digits'],
    })
  })

  it('takes another option for a change', () => {
    const next = { functions: [{ ...hello, access: 'public' as const, timeoutMs: 5 }], broken: [] }
    expect(compareManifests({ functions: [hello], broken: [] }, next).changed).toEqual(['hello'])
  })

  it('tells each mistake once, and again when it becomes another', () => {
    const first = { functions: [hello], broken: [broken(hello.file)] }
    expect(compareManifests(empty, first).broken).toEqual(first.broken)
    expect(compareManifests(first, first).broken).toEqual([])
    const second = { functions: [hello], broken: [broken(hello.file, 'It is wrong elsewhere.')] }
    expect(compareManifests(first, second).broken).toEqual(second.broken)
  })

  it('counts a file as mended when it is served as it stands, not when it is gone', () => {
    const last = { functions: [hello], broken: [broken(hello.file), broken('functions/gone.ts')] }
    expect(compareManifests(last, { functions: [hello], broken: [] }).mended).toEqual([hello.file])
  })
})
