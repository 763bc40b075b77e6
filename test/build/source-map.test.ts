import { describe, expect, it } from 'vitest'
import { appendSourceMap, withoutDebugId } from '../../runtime/build/source-map.ts'

const nameOf = (source: string): string => `seen/${source}`

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

  it('gives each source the name that it is to have and keeps the rest', () => {
    expect(mapOf(appendSourceMap('code\n', map, nameOf))).toEqual({
      version: 3,
      sources: ['seen/functions/a.ts', 'seen/../shared/ä.ts'],
      sourcesContent: ['ä', ''],
      mappings: 'AAAA',
      names: [],
    })
  })

  it('puts the map where an identifier of the bundler stood, on a line of its own at the end', () => {
    const code = appendSourceMap('a\nb\n\n//# debugId=ABC\n\n', map, nameOf)
    expect(code.split('\n').slice(0, 2)).toEqual(['a', 'b'])
    expect(code).toMatch(/^a\nb\n\/\/# sourceMappingURL=\S+\n$/)
  })
})

describe('withoutDebugId', () => {
  it('takes the mark off the end and nothing else', () => {
    expect(withoutDebugId('a\n//# debugId=ABC\n')).toBe('a\n')
    expect(withoutDebugId('a\n//# debugId=ABC\nb')).toBe('a\n//# debugId=ABC\nb\n')
  })
})
