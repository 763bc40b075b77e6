import { describe, expect, it } from 'vitest'
import { listFiles, parseSource, readSources } from '../support/source-files.ts'
import { assertNoFindings, type Finding, formatFinding } from './finding.ts'
import { checkCoverage, checkExemptions, checkTestNames, type Exemptions, type Mirror } from './mirror.ts'
import { playgroundExemptions } from './playground-exemptions.ts'

/** Folders of `test/` that stand beside the sources and mirror none of them. */
const ownFolders = ['bench', 'contract', 'e2e', 'fixtures', 'functions', 'repo', 'support', 'types']

/** Files whose test has another name. */
const exemptions: Exemptions = {
  'runtime/archive/binary.ts': {
    provenBy: 'test/archive/directory.test.ts',
    reason: 'A part of reading a directory: tested there on whole archives, each refusal by its own.',
  },
  'runtime/archive/byte-source.ts': {
    provenBy: 'test/archive/directory.test.ts',
    reason: 'A part of reading a directory: tested there on whole archives, each refusal by its own.',
  },
  'runtime/archive/directory-end.ts': {
    provenBy: 'test/archive/directory.test.ts',
    reason: 'A part of reading a directory: tested there on whole archives, each refusal by its own.',
  },
  'runtime/archive/directory-record.ts': {
    provenBy: 'test/archive/directory.test.ts',
    reason: 'A part of reading a directory: tested there on whole archives, each refusal by its own.',
  },
  'runtime/archive/local-header.ts': {
    provenBy: 'test/archive/directory.test.ts',
    reason: 'A part of reading a directory: tested there on whole archives, each refusal by its own.',
  },
  'runtime/build/build-key.ts': {
    provenBy: 'test/build/kept-build.test.ts',
    reason:
      'A part of kept builds, which alone call it: tested there on real projects, a change of each kind.',
  },
  'runtime/build/package-census.ts': {
    provenBy: 'test/build/kept-build.test.ts',
    reason:
      'A part of kept builds, which alone call it: tested there on real projects, a change of each kind.',
  },
  'runtime/build/surroundings.ts': {
    provenBy: 'test/build/kept-build.test.ts',
    reason:
      'A part of kept builds, which alone call it: tested there on real projects, a change of each kind.',
  },
  'runtime/model/artifact-files.ts': {
    provenBy: 'test/model/artifact-store.test.ts',
    reason: 'A part of the store, which alone calls it: tested there on real files, kills and full disks.',
  },
  'runtime/model/artifact-source.ts': {
    provenBy: 'test/model/artifact-store.test.ts',
    reason: 'A part of the store, which alone calls it: tested there on real files, kills and full disks.',
  },
  'runtime/model/durable-file.ts': {
    provenBy: 'test/model/artifact-store.test.ts',
    reason: 'A part of the store, which alone calls it: tested there on real files, kills and full disks.',
  },
  'runtime/model/model-id.ts': {
    provenBy: 'test/model/registry.test.ts',
    reason: 'A part of the registry, which alone calls it: tested there on a real database.',
  },
  'runtime/model/model-table.ts': {
    provenBy: 'test/model/registry.test.ts',
    reason: 'A part of the registry, which alone calls it: tested there on a real database.',
  },
  'runtime/model/progress.ts': {
    provenBy: 'test/model/registry.test.ts',
    reason: 'A part of the registry, which alone calls it: tested there on a real database.',
  },
  'runtime/model/refusal.ts': {
    provenBy: 'test/model/registry.test.ts',
    reason: 'A part of the registry, which alone calls it: tested there on a real database.',
  },
  'runtime/model/registered-model.ts': {
    provenBy: 'test/model/registry.test.ts',
    reason: 'A part of the registry, which alone calls it: tested there on a real database.',
  },
  'runtime/model/download-failure.ts': {
    provenBy: 'test/model/download.test.ts',
    reason: 'A part of downloading: tested there against a server that does what no good server does.',
  },
  'runtime/model/downloader.ts': {
    provenBy: 'test/model/download.test.ts',
    reason: 'A part of downloading: tested there against a server that does what no good server does.',
  },
  'runtime/model/partial-file.ts': {
    provenBy: 'test/model/download.test.ts',
    reason: 'A part of downloading: tested there against a server that does what no good server does.',
  },
  'runtime/model/transfer.ts': {
    provenBy: 'test/model/obtaining.test.ts',
    reason: 'A part of obtaining artifacts: tested there by a thousand callers at once.',
  },
  'runtime/replica/frame-sink.ts': {
    provenBy: 'test/replica/runner.test.ts',
    reason:
      'A frame for each kind of answer: tested there, and in test/runner, with what a gateway makes of them.',
  },
  'runtime/page/model-loading.ts': {
    provenBy: 'test/page/host.test.ts',
    reason: 'A part of the host: tested there with a real engine and models.',
  },
  'runtime/page/kept-answer.ts': {
    provenBy: 'test/client/web-engine.test.ts',
    reason: 'What a page knows without its server: tested there in a real browser.',
  },
  'runtime/client/web-engine-call.ts': {
    provenBy: 'test/client/web-engine.test.ts',
    reason: 'A part of the engine of a page: tested there in a real browser.',
  },
  'runtime/client/web-engine-worker.ts': {
    provenBy: 'test/client/web-engine-supervisor.test.ts',
    reason: 'A part of the engine of a page: tested there in a real browser, with workers that die.',
  },
  'runtime/entry/page-worker.ts': {
    provenBy: 'test/client/web-engine.test.ts',
    reason: 'The worker of a page: tested there in a real browser.',
  },
  'runtime/model/presence.ts': {
    provenBy: 'test/model/prune.test.ts',
    reason: 'What pruning has to respect: tested there with several stores and processes.',
  },
  'runtime/model/json-file.ts': {
    provenBy: 'test/model/origin-index.test.ts',
    reason: 'Two calls, tested there with torn and strange files.',
  },
  'runtime/model/process-mark.ts': {
    provenBy: 'test/model/staging.test.ts',
    reason: 'What staging tells the living from the dead by: tested there with real processes.',
  },
  'runtime/model/staged-file.ts': {
    provenBy: 'test/model/artifact-store.test.ts',
    reason: 'A part of the store, which alone calls it: tested there on real files, kills and full disks.',
  },
  'runtime/model/store-folder.ts': {
    provenBy: 'test/model/artifact-store.test.ts',
    reason: 'A part of the store, which alone calls it: tested there on real files, kills and full disks.',
  },
  'runtime/model/synapse-exchange.ts': {
    provenBy: 'test/model/synapse-backend.test.ts',
    reason: 'A part of the backend: tested there against real servers, good and hostile ones.',
  },
  'runtime/model/synapse-record.ts': {
    provenBy: 'test/model/synapse-backend.test.ts',
    reason: 'A part of the backend: tested there against real servers, good and hostile ones.',
  },
  'runtime/page/artifact-draft.ts': {
    provenBy: 'test/page/artifact-store.test.ts',
    reason: 'A part of the page’s store, which alone calls it: tested there in a real browser.',
  },
  'runtime/page/artifact-lock.ts': {
    provenBy: 'test/page/artifact-store.test.ts',
    reason: 'A part of the page’s store, which alone calls it: tested there in a real browser.',
  },
  'runtime/page/artifact-shelf.ts': {
    provenBy: 'test/page/artifact-store.test.ts',
    reason: 'A part of the page’s store, which alone calls it: tested there in a real browser.',
  },
  'runtime/server/metrics/metric.ts': {
    provenBy: 'test/server/metrics/request-metrics.test.ts',
    reason: 'How each metric is put into a registry: tested there by what is written of all kinds.',
  },
  'runtime/server/metrics/registries.ts': {
    provenBy: 'test/server/metrics/metrics-route.test.ts',
    reason: 'All metrics put together in both forms: tested there by what is written.',
  },
  'runtime/server/residency/preloading.ts': {
    provenBy: 'test/server/residency/model-placement.test.ts',
    reason: 'The part of placing that the configuration asks for: tested there by what is loaded.',
  },
  'runtime/server/residency/places.ts': {
    provenBy: 'test/server/residency/model-placement.test.ts',
    reason: 'What names mean of what is loaded: tested there by what is unloaded.',
  },
  'runtime/replica/dispatcher.ts': {
    provenBy: 'test/replica/scheduler.test.ts',
    reason: 'A part of the scheduler: what it sends and when is tested there on real runners.',
  },
  'runtime/replica/residency-control.ts': {
    provenBy: 'test/e2e/residency.test.ts',
    reason: 'A contract, and a queue as a report shows it: proven over the real command.',
  },
  'runtime/cli/residency-client.ts': {
    provenBy: 'test/e2e/residency.test.ts',
    reason: 'The questions of commands to a running server: proven over the real command.',
  },
  'runtime/cli/page-output.ts': {
    provenBy: 'test/e2e/build-pages.test.ts',
    reason: 'The part of a build that is for pages: proven over the real command.',
  },
  'runtime/entry/page-builder.ts': {
    provenBy: 'test/build/page/asset-process.test.ts',
    reason: 'The process for pages: tested there by what it makes, and by how it ends.',
  },
  'runtime/cli/progress-bar.ts': {
    provenBy: 'test/cli/models.test.ts',
    reason: 'What a terminal shows while a model is added: tested there on one.',
  },
  'runtime/entry/gateway-system.ts': {
    provenBy: 'test/e2e/administration.test.ts',
    reason: 'It puts routes and socket together: proven over the real command.',
  },
  'runtime/entry/registry-service.ts': {
    provenBy: 'test/e2e',
    reason:
      'The questions of the routes to the registry’s thread, one for one: proven over the real command.',
  },
  'runtime/model/store-keeping.ts': {
    provenBy: 'test/server/admin/store-handlers.test.ts',
    reason: 'The store and the registry put together for one caller: tested there over HTTP.',
  },
  'runtime/server/registry/chunk.ts': {
    provenBy: 'test/server/registry/upload-handlers.test.ts',
    reason: 'A part of taking uploads: tested there on real forms, those that lie included.',
  },
  'runtime/client/page-call.ts': {
    provenBy: 'test/client/call.test.ts',
    reason: 'A part of a call: tested there with an engine that answers with the runners’ own code.',
  },
  ...playgroundExemptions,
  'runtime/config/state-directory.ts': {
    provenBy: 'test/cli/token.test.ts',
    reason: 'Two calls of the file system, made by each command.',
  },
  'runtime/entry/builder.ts': {
    provenBy: 'test/build/build.test.ts',
    reason: 'It is the whole of a process: importing it takes over the process that does.',
  },
  'runtime/entry/registry.ts': {
    provenBy: 'test/e2e',
    reason: 'It is the whole of a worker thread: it does nothing without a parent that speaks to it.',
  },
  'runtime/entry/replica.ts': {
    provenBy: 'test/e2e',
    reason: 'It is the whole of a process: importing it takes over the process that does.',
  },
  'runtime/entry/runner.ts': {
    provenBy: 'test/e2e',
    reason: 'It is the whole of a worker thread: it does nothing without a parent that speaks to it.',
  },
}

const tests = listFiles(['test']).filter((path) => path.endsWith('.test.ts'))
const sources = readSources(['runtime', 'adapters'])

it('names each test after the file or adapter that it is about', () => {
  assertNoFindings(checkTestNames({ tests, sources, ownFolders }))
})

it('has a test for each file of runtime/ with logic, and for each adapter', () => {
  assertNoFindings(checkCoverage({ tests, sources, ownFolders }, exemptions))
})

it('exempts only what exists, has no test of its own and is proven elsewhere', () => {
  assertNoFindings(checkExemptions({ tests, sources, ownFolders }, exemptions))
})

describe('the checks', () => {
  const mirror: Mirror = {
    tests: ['test/error/error.test.ts', 'test/adapters/onnx-gpu.test.ts', 'test/e2e/anything.test.ts'],
    sources: [
      parseSource('runtime/error/error.ts', 'export function fail(): void {}'),
      parseSource(
        'runtime/error/codes.ts',
        'export interface Code {}\nexport const codes = { A: 1 } as const',
      ),
      parseSource('adapters/onnx/session.ts', 'export const open = (): void => {}'),
    ],
    ownFolders,
  }
  const exempt: Exemptions = { 'runtime/error/wire.ts': { provenBy: 'test/e2e', reason: 'Why not.' } }
  const wire = parseSource('runtime/error/wire.ts', 'export const toWire = () => ({})')
  const show = (findings: Finding[]) => findings.map(formatFinding)

  it('take files that mirror each other', () => {
    expect(checkTestNames(mirror)).toEqual([])
    expect(checkCoverage({ ...mirror, tests: [...mirror.tests, 'test/adapters/onnx.test.ts'] }, {})).toEqual(
      [],
    )
  })

  it.each([
    ['test/error/gone.test.ts', /no runtime\/error\/gone\.ts/],
    ['test/nowhere/gone.test.ts', /no runtime\/nowhere\/gone\.ts/],
    ['test/error.test.ts', /no runtime\/error\.ts/],
    ['test/adapters/gone.test.ts', /no adapter of that name/],
    ['test/adapters/onnxed.test.ts', /no adapter of that name/],
  ])('refuse the test %s', (path, message) => {
    expect(show(checkTestNames({ ...mirror, tests: [path] }))).toEqual([expect.stringMatching(message)])
  })

  it.each([
    ['a function', 'export const toWire = () => ({})'],
    ['a class', 'export class Wire { close() {} }'],
    ['a statement', `postMessage('ready')`],
    ['a loop', 'for (const a of []) a()'],
  ])('ask for a test of a file that has %s', (_, text) => {
    const source = parseSource('runtime/error/wire.ts', text)
    expect(show(checkCoverage({ ...mirror, tests: [], sources: [source] }, {}))).toEqual([
      expect.stringMatching(/^runtime\/error\/wire\.ts:1 .* test\/error\/wire\.test\.ts/),
    ])
  })

  it('ask for a test of the page that a view is a part of', () => {
    const view = parseSource('runtime/playground/form.tsx', 'export const Form = () => <form />')
    const page = parseSource('runtime/playground/page.tsx', 'export const Page = () => <main />')
    const from = { ...mirror, sources: [view, page] }
    expect(show(checkCoverage({ ...from, tests: [] }, {}))).toEqual([
      expect.stringMatching(/^runtime\/playground\/form\.tsx:1 .* test\/playground\/page\.test\.ts/),
      expect.stringMatching(/^runtime\/playground\/page\.tsx:1 .* test\/playground\/page\.test\.ts/),
    ])
    expect(checkTestNames({ ...from, tests: ['test/playground/page.test.ts'] })).toEqual([])
    expect(checkCoverage({ ...from, tests: ['test/playground/page.test.ts'] }, {})).toEqual([])
  })

  it('ask for a test of an adapter', () => {
    expect(show(checkCoverage(mirror, {}))).toEqual([expect.stringMatching(/test\/adapters\/onnx\.test\.ts/)])
  })

  it.each([
    ['is gone', mirror, exempt, /is not there any more/],
    ['has no logic', mirror, { 'runtime/error/codes.ts': exempt['runtime/error/wire.ts'] }, /needs no test/],
    [
      'has a test by now',
      mirror,
      { 'runtime/error/error.ts': exempt['runtime/error/wire.ts'] },
      /has its test/,
    ],
    [
      'is proven by nothing',
      { ...mirror, sources: [wire] },
      { 'runtime/error/wire.ts': { provenBy: 'test/gone', reason: 'Why not.' } },
      /test\/gone/,
    ],
  ])('refuse to exempt a file that %s', (_, from, exemption, message) => {
    expect(show(checkExemptions(from, exemption as Exemptions))).toEqual([expect.stringMatching(message)])
  })

  it('exempt a file that is proven elsewhere', () => {
    const from = { ...mirror, sources: [wire] }
    expect(checkExemptions(from, exempt)).toEqual([])
    expect(checkCoverage(from, exempt)).toEqual([])
  })
})
