import { describe, expect, it } from 'vitest'
import { findChain, type ImportGraph, ownFilesOf } from '../../runtime/build/import-graph.ts'

type Edges = Readonly<Record<string, readonly (readonly [path: string, specifier: string])[]>>

function graphOf(edges: Edges): ImportGraph {
  const inputs = Object.entries(edges).map(([file, imports]) => {
    const found = imports.map(([path, original]) => ({ path, original, kind: 'import-statement' as const }))
    return [file, { bytes: 1, imports: found, format: 'esm' as const }]
  })
  return Object.fromEntries(inputs)
}

const graph = graphOf({
  'functions/a.ts': [
    ['functions/_long.ts', './_long.ts'],
    ['functions/_lib.ts', './_lib.ts'],
  ],
  'functions/_long.ts': [['functions/_lib.ts', './_lib.ts']],
  'functions/_lib.ts': [
    ['node_modules/sharp/index.js', 'sharp'],
    ['lib/alias.ts', '~/alias'],
    ['lib/inner.ts', '#inner'],
    ['functions/a.ts', './a.ts'],
  ],
  'lib/alias.ts': [],
  'lib/inner.ts': [['../linked/index.ts', '@team/linked/part']],
  'node_modules/sharp/index.js': [['node_modules/sharp/lib/io.js', './lib/io.js']],
  'node_modules/sharp/lib/io.js': [['node_modules/detect/index.js', 'detect']],
  'node_modules/detect/index.js': [],
  '../linked/index.ts': [['../linked/read.ts', './read.ts']],
  '../linked/read.ts': [],
})
const entry = 'functions/a.ts'

describe('ownFilesOf', () => {
  it('names what is reached without entering a package', () => {
    expect(ownFilesOf(graph, entry, new Set())).toEqual([
      'functions/_lib.ts',
      'functions/_long.ts',
      'functions/a.ts',
      'lib/inner.ts',
    ])
  })

  it('names what is known to be own however it is imported', () => {
    expect(ownFilesOf(graph, entry, new Set(['lib/alias.ts']))).toContain('lib/alias.ts')
  })
})

describe('findChain', () => {
  const own = new Set(ownFilesOf(graph, entry, new Set()))
  const chainTo = (file: string) => findChain(graph, entry, { file, specifier: 'node:fs' }, own)

  it('goes the shortest way and names each package once', () => {
    expect(chainTo('node_modules/sharp/lib/io.js')).toEqual({
      links: ['functions/a.ts', 'functions/_lib.ts', 'sharp', 'node:fs'],
      import: { file: 'functions/_lib.ts', specifier: 'sharp' },
    })
    expect(chainTo('node_modules/detect/index.js').links).toEqual([
      'functions/a.ts',
      'functions/_lib.ts',
      'sharp',
      'detect',
      'node:fs',
    ])
  })

  it('names a package by its scope and name, wherever it lies', () => {
    expect(chainTo('../linked/read.ts')).toEqual({
      links: ['functions/a.ts', 'functions/_lib.ts', 'lib/inner.ts', '@team/linked', 'node:fs'],
      import: { file: 'lib/inner.ts', specifier: '@team/linked/part' },
    })
  })

  it('finds the way to a module that the bundler has left out, since it only passes on another', () => {
    const passing = graphOf({ [entry]: [['node:fs', 'passing/on']] })
    const found = { file: 'node_modules/passing/on.js', specifier: 'node:fs' }
    expect(findChain(passing, entry, found, new Set([entry]))).toEqual({
      links: [entry, 'passing', 'node:fs'],
      import: { file: entry, specifier: 'passing/on' },
    })
  })

  it('ends at the entry where that imports it itself', () => {
    expect(chainTo(entry)).toEqual({
      links: [entry, 'node:fs'],
      import: { file: entry, specifier: 'node:fs' },
    })
  })
})
