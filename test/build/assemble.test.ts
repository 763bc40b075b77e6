import { describe, expect, it } from 'vitest'
import { assembleManifest } from '../../runtime/build/assemble.ts'
import type { LedgerEntry } from '../../runtime/build/ledger.ts'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { placeOf } from '../../runtime/build/mistake.ts'
import { sampleFunction } from './manifest-samples.ts'

function entry(file: string, good: FunctionManifest | null, reason: string | null = null): LedgerEntry {
  const mistake = reason === null ? null : { place: placeOf(file), reason }
  return { file, functionFile: file, sources: {}, good, mistake, round: 1, sinceMs: 0, again: false }
}

function good(name: string, overrides: Partial<FunctionManifest> = {}): LedgerEntry {
  const manifest = sampleFunction(name, overrides)
  return entry(manifest.file, manifest)
}

describe('assembleManifest', () => {
  it('serves what is good, and the last good version of what is broken', () => {
    const [a, b] = [sampleFunction('a'), sampleFunction('b')]
    const entries = [
      entry('functions/a.ts', a),
      entry('functions/b.ts', b, 'broke'),
      entry('functions/c.ts', null, 'bad'),
    ]
    expect(assembleManifest(entries, [])).toEqual({
      functions: [a, b],
      broken: [
        { file: 'functions/b.ts', place: placeOf('functions/b.ts'), reason: 'broke', served: true },
        { file: 'functions/c.ts', place: placeOf('functions/c.ts'), reason: 'bad', served: false },
      ],
    })
  })

  it('keeps the functions as the very objects that they were, and freezes the rest', () => {
    const only = good('a')
    const manifest = assembleManifest([only], [])
    expect(manifest.functions[0]).toBe(only.good)
    expect(Object.isFrozen(manifest.functions)).toBe(true)
  })

  it('breaks only the one file that is in the way of an earlier one', () => {
    const entries = [
      good('a', { route: '/x/[id]', path: '/x/:id' }),
      good('b', { route: '/x/[name]/deep', path: '/x/:name/deep' }),
      good('c', { route: '/x/[name]/other', path: '/x/:name/other', name: 'd' }),
      good('d'),
      good('e', { route: '/d', path: '/d' }),
    ]
    const { functions, broken } = assembleManifest(entries, [])
    expect(functions.map(({ file }) => file)).toEqual(['functions/a.ts', 'functions/d.ts'])
    expect(broken.map(({ file, served }) => [file, served])).toEqual([
      ['functions/b.ts', false],
      ['functions/c.ts', false],
      ['functions/e.ts', false],
    ])
    expect(broken[0]?.reason).toContain('functions/a.ts and functions/b.ts')
    expect(broken[2]?.reason).toContain('functions/d.ts and functions/e.ts claim one route, /d.')
  })

  it('tells of the mistake of a broken file rather than of the conflict of its last good version', () => {
    const late = sampleFunction('b', { name: 'a' })
    const { functions, broken } = assembleManifest([good('a'), entry('functions/b.ts', late, 'broke')], [])
    expect(functions.map(({ file }) => file)).toEqual(['functions/a.ts'])
    expect(broken).toMatchObject([{ file: 'functions/b.ts', reason: 'broke', served: false }])
  })

  it('puts links that are ignored among what is broken, in the order of the files', () => {
    const { broken } = assembleManifest(
      [entry('functions/b.ts', null, 'bad')],
      ['functions/c.ts', 'functions/a.ts'],
    )
    expect(broken.map(({ file }) => file)).toEqual(['functions/a.ts', 'functions/b.ts', 'functions/c.ts'])
  })
})
