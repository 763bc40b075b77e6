import { describe, expect, it } from 'vitest'
import type { BrokenFunction } from '../../runtime/build/manifest.ts'
import { createServerReport, formatMistake, type Listening } from '../../runtime/cli/server-report.ts'
import { sampleFunction } from '../build/manifest-samples.ts'

const hello = sampleFunction('hello')
const mistake: BrokenFunction = {
  file: 'functions/a.ts',
  place: { file: 'functions/_lib/b.ts', line: 3, column: 5 },
  reason: 'Unexpected }.',
  served: true,
}

function recorder() {
  const said: { value: Record<string, unknown>; text: string }[] = []
  const report = createServerReport({
    result: (value, text) => void said.push({ value: value as Record<string, unknown>, text }),
  })
  return { report, said, take: () => said.splice(0) }
}

describe('the report of a server', () => {
  it('tells of mistakes at the start, but not that anything went live', () => {
    const { report, take } = recorder()
    report.manifest({ functions: [hello], broken: [mistake] })
    expect(take()).toEqual([
      {
        value: { event: 'broken', ...mistake },
        text: 'functions/_lib/b.ts:3:5: Unexpected }. Its last good version is served meanwhile.',
      },
    ])
  })

  it('tells what goes live, by name', () => {
    const { report, take } = recorder()
    report.manifest({ functions: [hello, sampleFunction('old')], broken: [] })
    report.manifest({
      functions: [{ ...hello, bundle: 'hello-2.js' }, sampleFunction('new')],
      broken: [],
    })
    expect(take()).toEqual([
      {
        value: {
          event: 'live',
          functions: 2,
          added: ['new'],
          changed: ['hello'],
          removed: ['old'],
          mended: [],
        },
        text: 'New: new. Changed: hello. Gone: old.',
      },
    ])
  })

  it('only counts names beyond the eighth', () => {
    const { report, take } = recorder()
    report.manifest({ functions: [], broken: [] })
    const functions = Array.from({ length: 10 }, (_, index) => sampleFunction(`f${index}`))
    report.manifest({ functions, broken: [] })
    expect(take()[0]?.text).toBe('New: f0, f1, f2, f3, f4, f5, f6, f7 and 2 more.')
  })

  it('says nothing of a mistake that it has told already', () => {
    const { report, take } = recorder()
    report.manifest({ functions: [hello], broken: [mistake] })
    take()
    report.manifest({ functions: [hello], broken: [{ ...mistake }] })
    expect(take()).toEqual([])
  })

  it('tells of a mended file even where its code is what was served meanwhile', () => {
    const { report, take } = recorder()
    const own = { ...mistake, file: hello.file }
    report.manifest({ functions: [hello], broken: [own] })
    take()
    report.manifest({ functions: [hello], broken: [] })
    expect(take()).toEqual([
      {
        value: { event: 'live', functions: 1, added: [], changed: [], removed: [], mended: [hello.file] },
        text: `Mended: ${hello.file}.`,
      },
    ])
  })

  it('tells what becomes of models', () => {
    const { report, take } = recorder()
    report.models([
      { id: 'digits', change: 'updated', version: 2, reason: null },
      { id: 'bad', change: 'failed', version: null, reason: 'The archive is cut short.' },
    ])
    expect(take().map(({ text }) => text)).toEqual([
      'Model digits@2 updated.',
      'Model bad failed: The archive is cut short.',
    ])
  })

  const listening: Listening = {
    appName: 'app@1.0.0',
    routePrefix: '/v1',
    origin: 'http://127.0.0.1:3000',
    manifest: { functions: [sampleFunction('hello', { methods: ['GET'], path: '/hello' })], broken: [] },
    functionsDirectory: 'functions',
    playground: 'http://127.0.0.1:3000/-/playground',
    example: 'curl http://127.0.0.1:3000/v1/hello',
    tookMs: 12,
  }

  it('greets with what it found, where it listens, and how to call it', () => {
    const { report, take } = recorder()
    report.listening(listening)
    const [said] = take()
    expect(said?.value).toEqual({
      event: 'listening',
      url: 'http://127.0.0.1:3000/v1',
      app: 'app@1.0.0',
      functions: ['hello'],
      playground: 'http://127.0.0.1:3000/-/playground',
      example: 'curl http://127.0.0.1:3000/v1/hello',
      tookMs: 12,
    })
    expect(said?.text.split('\n')).toEqual([
      'app@1.0.0 is ready after 12 ms',
      expect.stringMatching(/^ {2}GET {2}\/v1\/hello {2}\S+$/),
      'Listening on http://127.0.0.1:3000/v1',
      'Documentation on http://127.0.0.1:3000/-/docs',
      'Playground on http://127.0.0.1:3000/-/playground',
      '',
      'Try it:',
      '  curl http://127.0.0.1:3000/v1/hello',
      '',
    ])
  })

  it('says nothing of a playground where there is none', () => {
    const { report, take } = recorder()
    report.listening({ ...listening, playground: null })
    expect(take()[0]?.text).not.toContain('layground')
  })

  it('says where a first function belongs', () => {
    const { report, take } = recorder()
    report.listening({ ...listening, manifest: { functions: [], broken: [] }, example: null })
    expect(take()[0]?.text).toContain('No function yet: a file in functions becomes a route.')
  })
})

describe('formatMistake', () => {
  it('leaves out a line that is not known', () => {
    const place = { file: 'functions/a.ts', line: null, column: null }
    expect(formatMistake({ ...mistake, place, served: false })).toBe('functions/a.ts: Unexpected }.')
  })
})
