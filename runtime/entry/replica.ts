/** A replica: a process that holds runners' threads. It does what the gateway says over IPC and dies with it. */
import { Worker } from 'node:worker_threads'
import { createLockMemory, freeLock } from '../../adapters/onnx-node/process-lock.ts'
import {
  modelsExpected,
  type ReplicaCommand,
  type ReplicaReport,
  type RunnerOrder,
} from '../replica/message.ts'
import { reportHealth } from './health.ts'
import { volunteerForMemoryShortage } from './memory-shortage.ts'
import { exitWithParent } from './parent.ts'
import { leadProcessGroup } from './process-group.ts'
import { createProcessLog } from './process-log.ts'
import type { RunnerData, RunnerStarted } from './runner.ts'

const log = createProcessLog('info')
// Threads that compute on webgpu at once crash their process: they take turns by this memory.
const webgpuLock = createLockMemory()
const runners = new Map<number, Worker>()
/** A thread that has not been told yet what to run; `null` where none is at hand. */
let spare: Worker | null = null
let expectsModel = process.argv[3] === modelsExpected

exitWithParent(Number(process.argv[2]))
leadProcessGroup()
volunteerForMemoryShortage()
process.on('message', (command: ReplicaCommand) => {
  if (command.kind === 'start') start(command.order)
  else void runners.get(command.runner)?.terminate()
})
// Stopping is the gateway's to say, by closing the channel: a signal to the whole group must not cut requests.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
report({ kind: 'ready' })
reportHealth((health) => report({ kind: 'health', health }))
keepSpare()

function start(order: RunnerOrder): void {
  let worker: Worker
  try {
    worker = spare ?? createThread()
  } catch (error) {
    report({ kind: 'ended', runner: order.runner, refusal: { lack: 'thread', why: String(error) } })
    return
  }
  spare = null
  expectsModel ||= order.model !== null
  const { threadId } = worker
  runners.set(order.runner, worker)
  worker.on('error', (error) =>
    log.error('A runner died of an uncaught error', { function: order.name, error }),
  )
  worker.on('exit', () => {
    runners.delete(order.runner)
    // It may have ended in the middle of its turn.
    freeLock(webgpuLock, threadId)
    report({ kind: 'ended', runner: order.runner, refusal: null })
  })
  // The next one is made when this one has come up, lest it take the time of its load.
  worker.on('message', (_: RunnerStarted) => keepSpare())
  worker.postMessage(order)
}

function keepSpare(): void {
  if (spare !== null) return
  try {
    const worker = createThread()
    spare = worker
    worker.on('exit', () => {
      if (spare === worker) spare = null
    })
  } catch (error) {
    // The runner that would have had it is told when it comes.
    log.warn('There is no thread to have ready for the next runner', { error })
  }
}

function createThread(): Worker {
  const workerData: RunnerData = { webgpuLock, expectsModel }
  return new Worker(new URL('./runner.ts', import.meta.url), { workerData })
}

function report(message: ReplicaReport): void {
  process.send?.(message)
}
