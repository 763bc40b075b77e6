import { commandExemptions } from './command-exemptions.ts'
import { jobExemptions } from './job-exemptions.ts'
import { jobStoreExemptions } from './job-store-exemptions.ts'
import type { Exemptions } from './mirror.ts'
import { nodeExemptions } from './node-exemptions.ts'
import { playgroundExemptions } from './playground-exemptions.ts'
import { replicaExemptions } from './replica-exemptions.ts'

/** Files whose test has another name. */
export const exemptions: Exemptions = {
  ...commandExemptions,
  ...jobExemptions,
  ...jobStoreExemptions,
  ...nodeExemptions,
  ...playgroundExemptions,
  ...replicaExemptions,
  'runtime/define/function-name.ts': {
    provenBy: 'test/define/graph-names.test.ts',
    reason: 'Names of functions are noted for the nodes of graphs, whose names are tested there.',
  },
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
  'runtime/control/remote-handle.ts': {
    provenBy: 'test/control/deployments.test.ts',
    reason: 'A part of a running deployment: tested there over HTTP, by the handle that it gives.',
  },
  'runtime/control/control-socket.ts': {
    provenBy: 'test/control/deployments.test.ts',
    reason: 'How a server of this machine is found: tested there by its state directory.',
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
  'runtime/entry/ray-serve.ts': {
    provenBy: 'test/e2e/ray-serve.test.ts',
    reason: 'Chooses the adapter: proven there on a real cluster.',
  },
  'runtime/entry/self-contained-build.ts': {
    provenBy: 'test/build/self-contained.test.ts',
    reason: 'The way to such builds: proven there over the real command, run from another folder.',
  },
  'runtime/job/content/table-shelf.ts': {
    provenBy: 'test/job/content/server-shelf.test.ts',
    reason: 'The table of a shelf that a server has: tested there on a real database, outages included.',
  },
  'runtime/job/run/failure.ts': {
    provenBy: 'test/job/run/step-execution.test.ts',
    reason: 'What becomes of errors: tested there and in the tests beside it on whole runs of steps.',
  },
  'runtime/job/run/fields.ts': {
    provenBy: 'test/job/run/course.test.ts',
    reason: 'The fields that steps share: tested there and in the tests beside it on whole runs of steps.',
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
  'runtime/server/job/stream-head.ts': {
    provenBy: 'test/server/job/content-reply.test.ts',
    reason: 'One line for what cannot be sent whole: tested there and with the routes.',
  },
  'runtime/server/request-head.ts': {
    provenBy: 'test/server/exchange.test.ts',
    reason: 'What a runner is told of a request: tested there by what is handed on of requests of each kind.',
  },
  'runtime/server/residency/preloading.ts': {
    provenBy: 'test/server/residency/model-placement.test.ts',
    reason: 'The part of placing that the configuration asks for: tested there by what is loaded.',
  },
  'runtime/server/residency/places.ts': {
    provenBy: 'test/server/residency/model-placement.test.ts',
    reason: 'What names mean of what is loaded: tested there by what is unloaded.',
  },
  'runtime/entry/page-builder.ts': {
    provenBy: 'test/build/page/asset-process.test.ts',
    reason: 'The process for pages: tested there by what it makes, and by how it ends.',
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
  'runtime/client/job-request.ts': {
    provenBy: 'test/client/jobs.test.ts',
    reason: 'How all that is about jobs is asked: tested by who asks, over HTTP.',
  },
  'runtime/client/page-call.ts': {
    provenBy: 'test/client/call.test.ts',
    reason: 'A part of a call: tested there with an engine that answers with the runners’ own code.',
  },
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
  'runtime/entry/action.ts': {
    provenBy: 'test/job/crew/action-process.test.ts',
    reason: 'It is the whole of a process: importing it takes over the process that does.',
  },
  'runtime/entry/replica.ts': {
    provenBy: 'test/e2e',
    reason: 'It is the whole of a process: importing it takes over the process that does.',
  },
  'runtime/entry/runner.ts': {
    provenBy: 'test/e2e',
    reason: 'It is the whole of a worker thread: it does nothing without a parent that speaks to it.',
  },
  'runtime/runner/call-placement.ts': {
    provenBy: 'test/runner/function-handles.test.ts',
    reason: 'Where functions answer: tested there on handles of each kind of function.',
  },
  'runtime/runner/handle.ts': {
    provenBy: 'test/runner/function-handles.test.ts',
    reason: 'What a handle does with its callee: tested there on callees of both kinds.',
  },
  'runtime/runner/local-function.ts': {
    provenBy: 'test/runner/function-handles.test.ts',
    reason: 'What answers beside its caller: tested there as it is called, through handles.',
  },
}
