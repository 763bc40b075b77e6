import { describe, expect, it } from 'vitest'
import { parseSource, readSources } from '../support/source-files.ts'
import { checkCycles } from './cycles.ts'
import { assertNoFindings, formatFinding } from './finding.ts'
import { checkLayers, type Layers } from './layers.ts'

const forAdapters = ['runtime/archive', 'runtime/cache', 'runtime/engine', 'runtime/error']

const layers: Layers = {
  ranks: {
    error: 0,
    archive: 1,
    cache: 1,
    config: 1,
    engine: 1,
    observe: 1,
    define: 2,
    network: 2,
    process: 2,
    route: 2,
    thread: 2,
    auth: 3,
    build: 3,
    model: 3,
    runner: 3,
    deploy: 4,
    'index.ts': 4,
    job: 4,
    page: 4,
    replica: 4,
    client: 5,
    server: 5,
    control: 6,
    entry: 6,
    cli: 7,
  },
  separate: { 'runtime/playground': ['isoplex/client'] },
  adapters: {
    onnx: forAdapters,
    'onnx-node': [...forAdapters, 'adapters/onnx'],
    'onnx-web': [...forAdapters, 'adapters/onnx'],
    'ray-serve': ['runtime/deploy', 'runtime/error'],
  },
  adapterUsers: ['runtime/entry'],
  browserSafe: [
    'runtime/archive',
    'runtime/cache',
    'runtime/client',
    'runtime/config/deployment-config.ts',
    'runtime/define',
    'runtime/engine',
    'runtime/error',
    'runtime/page',
    'runtime/runner',
    'runtime/job/event.ts',
    'runtime/job/job.ts',
    'adapters/onnx',
    'adapters/onnx-web',
  ],
  browserPackages: ['@sinclair/typebox', 'fflate', 'lru-cache', 'onnxruntime-common', 'onnxruntime-web'],
  packageOwners: {
    '@elysiajs/*': ['runtime/server'],
    commander: ['runtime/cli'],
    'cli-progress': ['runtime/cli'],
    elysia: ['runtime/server'],
    fflate: ['runtime/archive', 'functions'],
    preact: ['runtime/playground'],
    jose: ['runtime/auth'],
    'onnxruntime-common': ['adapters/onnx', 'adapters/onnx-node', 'adapters/onnx-web'],
    'onnxruntime-node': ['adapters/onnx-node'],
    'onnxruntime-web': ['adapters/onnx-web'],
  },
  namedByUrl: ['runtime/entry', 'runtime/playground'],
}

/** What the layers say about one made-up file. */
function findingsOf(path: string, text: string): string[] {
  return checkLayers([parseSource(path, text)], layers).map(formatFinding)
}

describe('the sources', () => {
  const sources = readSources(['runtime', 'adapters', 'functions'])

  it('import in the direction of the table', () => {
    expect(sources.length).toBeGreaterThan(100)
    assertNoFindings(checkLayers(sources, layers))
  })

  it('close no circle of values', () => {
    assertNoFindings(checkCycles(sources))
  })
})

describe('checkLayers', () => {
  it.each([
    ['a static import', `import { a } from '../engine/a.ts'`, /^runtime\/error\/x\.ts:1 .*rank 1.*rank 0/],
    ['an import for types', `\nimport type { A } from '../define/a.ts'`, /^runtime\/error\/x\.ts:2 .*define/],
    ['a re-export', `export { a } from '../engine/a.ts'`, /imports runtime\/engine\/a\.ts/],
    ['a re-export of all', `export * from '../engine/a.ts'`, /imports runtime\/engine\/a\.ts/],
    ['an import for its effect', `import '../engine/a.ts'`, /imports runtime\/engine\/a\.ts/],
    ['a dynamic import', `await import('../engine/a.ts')`, /imports runtime\/engine\/a\.ts/],
    [
      'a dynamic import in part',
      `await import(\`../engine/\${name}.ts\`)`,
      /imports runtime\/engine\/\*\.ts/,
    ],
    ['the type of a module', `type A = typeof import('../engine/a.ts')`, /imports runtime\/engine\/a\.ts/],
    ['a URL', `new URL('../engine/a.ts', import.meta.url)`, /imports runtime\/engine\/a\.ts/],
    ['a resolved place', `import.meta.resolve('../engine/a.ts')`, /imports runtime\/engine\/a\.ts/],
    ['a required file', `require('../engine/a.ts')`, /imports runtime\/engine\/a\.ts/],
    ['an absolute path', `import '/srv/a.ts'`, /by an absolute path/],
    ['a test', `import '../../test/a.ts'`, /imports test\/a\.ts/],
    ['a builtin', `import { join } from 'node:path'`, /imports node:path, .*browser/],
    ['a bare builtin', `import { join } from 'path'`, /imports path, .*browser/],
    ['a builtin of Bun', `import { dlopen } from 'bun:ffi'`, /imports bun:ffi, .*browser/],
    ['Bun itself', `import { file } from 'bun'`, /imports bun, .*browser/],
    ['a global of the server', `\n\nBun.file('a')`, /^runtime\/error\/x\.ts:3 uses Bun/],
    ['a global by its place', 'const { file } = globalThis.Bun', /uses Bun/],
    ['the process', 'process.env.HOME', /uses process/],
    ['a type of the server', `let shell: Bun.Shell`, /uses Bun/],
    ['a package unknown in browsers', `import pino from 'pino'`, /imports pino, .*browser/],
    ['its own package', `import { file } from 'isoplex'`, /its own package/],
  ])('sees %s', (_, text, message) => {
    expect(findingsOf('runtime/error/x.ts', text)).toEqual([expect.stringMatching(message)])
  })

  it.each([
    ['runtime/model/x.ts', `import '../auth/a.ts'`, /rank 3/],
    ['runtime/server/x.ts', `import '../entry/a.ts'`, /rank 6/],
    ['runtime/server/x.ts', `import '../index.ts'`, /which is for functions/],
    ['runtime/server/x.ts', `import '../playground/page.ts'`, /playground stands alone/],
    ['runtime/playground/x.ts', `import '../error/error.ts'`, /playground stands alone/],
    ['runtime/playground/x.tsx', `import { b } from '../client/client.ts'; <b />`, /playground stands alone/],
    ['runtime/playground/x.ts', `import 'isoplex'`, /may import isoplex\/client only/],
    ['runtime/playground/x.ts', `import 'isoplex/engine'`, /may import isoplex\/client only/],
    [
      'runtime/playground/x.tsx',
      `new URL('../client/client.ts', import.meta.url)`,
      /playground stands alone/,
    ],
    ['runtime/client/x.ts', `import 'isoplex/client'`, /its own package/],
    ['runtime/client/x.ts', `import type { A } from '../job/store.ts'`, /runtime\/job does not/],
    ['runtime/job/job.ts', `import type { A } from './store.ts'`, /job\/store\.ts does not/],
    ['runtime/job/job.ts', `import 'node:path'`, /imports node:path, .*browser/],
    ['runtime/server/x.ts', `import 'preact/hooks'`, /belongs to runtime\/playground alone/],
    ['runtime/server/x.ts', `import '../nowhere/a.ts'`, /in no folder of the direction table/],
    ['runtime/define/x.ts', `import type { A } from '../config/a.ts'`, /config does not/],
    ['runtime/nowhere/x.ts', '', /runtime\/nowhere, which the direction table does not know/],
    ['runtime/constructor/x.ts', '', /which the direction table does not know/],
    ['runtime/nowhere.ts', '', /runtime\/nowhere\.ts, which the direction table does not know/],
    ['adapters/nowhere/x.ts', '', /adapters\/nowhere, which the direction table does not know/],
    ['runtime/cli/x.ts', `import '../../adapters/onnx-node/engine.ts'`, /chosen in runtime\/entry only/],
    ['adapters/onnx/x.ts', `import '../onnx-node/engine.ts'`, /adapters\/onnx-node does not/],
    ['adapters/onnx-node/x.ts', `import '../ray-serve/a.ts'`, /adapters\/onnx-node may import/],
    ['adapters/onnx-node/x.ts', `import '../../runtime/define/a.ts'`, /adapters\/onnx-node may import/],
    ['functions/x.ts', `import '../runtime/index.ts'`, /a function imports 'isoplex'/],
    ['functions/x.ts', `import 'onnxruntime-node'`, /belongs to adapters\/onnx-node alone/],
    ['functions/x.ts', `import { readFile } from 'node:fs/promises'`, /a function imports 'isoplex'/],
    ['runtime/model/x.ts', `import 'jose'`, /belongs to runtime\/auth alone/],
    ['runtime/entry/x.ts', `import '@elysiajs/cors'`, /belongs to runtime\/server alone/],
    ['runtime/entry/x.ts', `import type { A } from 'elysia/types'`, /belongs to runtime\/server alone/],
    ['runtime/model/x.ts', `import 'fflate'`, /belongs to runtime\/archive and functions alone/],
    ['adapters/onnx/x.ts', `import 'onnxruntime-node'`, /belongs to adapters\/onnx-node alone/],
  ])('refuses in %s: %s', (path, text, message) => {
    expect(findingsOf(path, text)).toEqual([expect.stringMatching(message)])
  })

  it.each([
    [
      'runtime/server/x.ts',
      `import './a.ts'\nimport '../auth/a.ts'\nimport 'elysia'\nimport '@elysiajs/cors'`,
    ],
    [
      'runtime/replica/x.ts',
      `new URL('../entry/replica.ts', import.meta.url)\nimport 'node:path'\nBun.gc(true)`,
    ],
    ['runtime/entry/x.ts', `import '../../adapters/onnx-node/engine.ts'`],
    ['runtime/cli/x.ts', `import file from '../../package.json' with { type: 'json' }`],
    ['runtime/index.ts', `export { a } from './define/a.ts'`],
    ['runtime/client/x.ts', `import type { A } from '../job/job.ts'`],
    ['runtime/job/x.ts', `import 'node:path'\nimport './job.ts'`],
    [
      'adapters/onnx-node/x.ts',
      `import '../onnx/a.ts'\nimport '../../runtime/engine/a.ts'\nimport 'node:fs'`,
    ],
    ['runtime/build/x.ts', `new URL('../playground/main.tsx', import.meta.url)`],
    [
      'runtime/playground/x.tsx',
      `import { a } from 'isoplex/client'\nimport { useState } from 'preact/hooks'`,
    ],
    ['functions/x.ts', `import 'isoplex'\nimport './_help.ts'\nimport 'fflate'\nimport 'sharp'`],
    ['functions/_models/a/x.ts', `import 'onnxruntime-node'\nimport 'node:fs'`],
    ['runtime/error/x.ts', `const text = "import '../engine/a.ts'" // Bun.file, import 'node:fs'`],
    ['runtime/error/x.ts', `request.process.run(reply.Buffer)`],
  ])('allows in %s: %s', (path, text) => {
    expect(findingsOf(path, text)).toEqual([])
  })
})

describe('checkCycles', () => {
  const circle = (first: string, second: string) =>
    checkCycles([
      parseSource('runtime/a/a.ts', first),
      parseSource('runtime/a/b.ts', `\nimport { c } from './c.ts'`),
      parseSource('runtime/a/c.ts', second),
    ]).map(formatFinding)

  it('names the files of a circle and the import that closes it', () => {
    expect(circle(`import './b.ts'`, `export { a } from './a.ts'`)).toEqual([
      expect.stringContaining(
        'runtime/a/c.ts:1 closes a circle: ' +
          'runtime/a/a.ts -> runtime/a/b.ts -> runtime/a/c.ts -> runtime/a/a.ts;',
      ),
    ])
  })

  it('sees a file that imports itself', () => {
    expect(circle('', `import './c.ts'`)).toHaveLength(1)
  })

  it('passes over what TypeScript erases', () => {
    expect(circle(`import './b.ts'`, `import type { A } from './a.ts'`)).toEqual([])
  })
})
