/**
 * A runner's thread: told what to run, it connects to the gateway, loads its function and model, and answers until it
 * is told to stop. It is started ahead of that, since most of the time until a small model answers goes into imports.
 */
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { createOnnxNodeEngine } from '../../adapters/onnx-node/engine.ts'
import { readMachineFacts } from '../../adapters/onnx-node/machine-facts.ts'
import type { LockMemory } from '../../adapters/onnx-node/process-lock.ts'
import type { Session } from '../engine/engine.ts'
import { toWire } from '../error/wire.ts'
import { createOutboundPolicy } from '../network/policy.ts'
import { FrameConnection } from '../replica/connection.ts'
import { createInputFetch } from '../replica/fetched-input.ts'
import { encodeJson, type Frame, frameKinds } from '../replica/frame.ts'
import type { RunnerOrder, RunnerReport } from '../replica/message.ts'
import { Runner } from '../replica/runner.ts'
import { connectTo } from '../replica/runner-dial.ts'
import { loadFailure } from '../runner/load-failure.ts'
import { importFunction } from './bundled-function.ts'
import { configureEngine } from './configured-engine.ts'
import { createProcessLog } from './process-log.ts'

/** What a runner's thread is started with, before it is told what to run: a {@link RunnerOrder}, its first message. */
export interface RunnerData {
  /** The lock among the threads of the replica. */
  readonly webgpuLock: LockMemory
  /** Whether it is likely to load a model, so that the engine may be loaded ahead. */
  readonly expectsModel: boolean
}

/** What a runner's thread says to the replica's main thread: it has come up, or has failed to. */
export interface RunnerStarted {
  readonly kind: 'started'
}

// The replica's main thread starts this one with exactly that, and tells it exactly this.
const { webgpuLock, expectsModel } = workerData as RunnerData
// The facts are kept, and so is why they cannot be read, for whoever needs them.
if (expectsModel) void readMachineFacts().catch(() => undefined)
const [order]: readonly [RunnerOrder] = await orderOf(parentPort)
const log = createProcessLog(order.logLevel)
const sessions: Pick<Session, 'provider' | 'dispose'>[] = []
const fallbacks: string[] = []
const engine = configureEngine(
  createOnnxNodeEngine({ webgpuLock, onFallback: ({ reason }) => fallbacks.push(reason) }),
  order.session,
  (session) => sessions.push(session),
)
let runner: Runner | null = null

const socket = await connectTo(order.gateway, {
  data: (_, bytes) => connection.receive(bytes).forEach(receive),
  drain: () => connection.drained(),
  // Without the gateway there is nobody to answer.
  close: () => process.exit(0),
})
const connection = new FrameConnection(socket)
connection.send(frameKinds.hello, 0, 0, [encodeJson({ runner: order.runner, nonce: order.nonce })])

const starting = start().finally(() => parentPort?.postMessage({ kind: 'started' } satisfies RunnerStarted))

/** The first message of the replica's main thread. */
async function orderOf(port: typeof parentPort): Promise<readonly [RunnerOrder]> {
  if (port === null) throw new TypeError('A runner is a thread of a replica.')
  return (await once(port, 'message')) as [RunnerOrder]
}

async function start(): Promise<void> {
  try {
    const { definition, names } = await importFunction(order.bundlePath, order.name)
    const fresh = new Runner({
      name: order.name,
      deployment: order.deployment,
      options: order.options,
      isApart: (name) => order.apart.includes(name),
      definition,
      nameOf: (fn) => names.get(fn) ?? null,
      model: order.model,
      parts: order.parts,
      engine,
      concurrency: order.concurrency,
      fetchInput: createInputFetch(createOutboundPolicy(order.inputHosts)),
      log,
      send: (kind, id, flags, payload, tookUs) => connection.send(kind, id, flags, payload, tookUs),
      flush: () => connection.flush(),
    })
    const bytesBefore = process.memoryUsage.rss()
    await fresh.start()
    const grownBytes = process.memoryUsage.rss() - bytesBefore
    runner = fresh
    const report: RunnerReport = {
      providers: [...new Set(sessions.map(({ provider }) => provider))],
      fallbacks,
      grownBytes,
    }
    connection.send(frameKinds.ready, 0, 0, [encodeJson(report)])
  } catch (error) {
    connection.send(frameKinds.failed, 0, 0, [encodeJson(toWire(failureOf(error)))])
  }
}

function receive(frame: Frame): void {
  if (frame.kind === frameKinds.stop) void stop()
  else runner?.receive(frame)
}

async function stop(): Promise<void> {
  // What is half up cannot be taken down.
  await starting
  try {
    await runner?.stop()
  } catch (error) {
    log.error('A function could not be taken down', { function: order.name, error })
  }
  await Promise.allSettled(sessions.map((session) => session.dispose()))
  connection.end()
}

/** What callers are told of a failed start; the log has all of it. */
function failureOf(error: unknown): unknown {
  const { name, model } = order
  const deployment = order.deployment === name ? undefined : order.deployment
  log.error('A runner could not start', { function: name, deployment, model: model?.id, error })
  return loadFailure(error, { name, model: model?.id ?? null, log: "the server's log" })
}
