import { describe, expect, it } from 'vitest'
import { appendSourceMap } from '../../runtime/build/source-map.ts'

const directories = { bundlesDirectory: '/project/.isoplex/bundles', sourceRoot: '/project' }

function mapOf(code: string): Record<string, unknown> {
  const encoded = code.split('\n//# sourceMappingURL=data:application/json;base64,')[1] ?? ''
  return JSON.parse(Buffer.from(encoded, 'base64').toString())
}

describe('appendSourceMap', () => {
  const map = JSON.stringify({
    version: 3,
    sources: ['functions/a.ts', '../shared/ä.ts'],
    sourcesContent: ['ä', ''],
    mappings: 'AAAA',
    debugId: 'ABC',
    names: [],
  })

  it('names the sources as seen from the bundles and keeps the rest', () => {
    expect(mapOf(appendSourceMap('code\n', map, directories))).toEqual({
      version: 3,
      sources: ['../../functions/a.ts', '../../../shared/ä.ts'],
      sourcesContent: ['ä', ''],
      mappings: 'AAAA',
      names: [],
    })
  })

  it('puts the map where an identifier of the bundler stood, on a line of its own at the end', () => {
    const code = appendSourceMap('a\nb\n\n//# debugId=ABC\n\n', map, directories)
    expect(code.split('\n').slice(0, 2)).toEqual(['a', 'b'])
    expect(code).toMatch(/^a\nb\n\/\/# sourceMappingURL=\S+\n$/)
  })
})
