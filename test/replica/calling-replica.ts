import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallTarget, CallTargets } from '../../runtime/replica/call-target.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { functionNotFound } from '../../runtime/replica/failure.ts'
import { modelOf } from './replica-workshop.ts'

/** What a request has its function do. */
export interface Script {
  /** Groups of calls: those of a group are made at once, one group after the other. */
  readonly calls?: readonly (readonly ScriptedCall[])[]
  /** How long it works after its calls, in milliseconds. */
  readonly ms?: number
  /** What it does in place of an answer. */
  readonly end?: 'kill' | 'hang'
  /** Answers with a stream of so many pieces of 64 KiB. */
  readonly pieces?: number
  /** Answers without waiting for its calls. */
  readonly hasty?: boolean
}

/** A call that a request has its function make. */
export interface ScriptedCall extends Script {
  readonly to: string
  readonly model?: string
  readonly timeoutMs?: number
  /** Lets go of it after so many milliseconds. */
  readonly leaveMs?: number
  /** The request in whose name it is made. @default the one that is answered */
  readonly parent?: number
  /** What is said of it otherwise than it is. */
  readonly lies?: Readonly<Record<string, unknown>>
  /** Its id. @default one that no other has */
  readonly id?: number
}

/** What a function answers: what answered, and what its calls came to, by the code of the error where one failed. */
export interface ScriptedAnswer {
  readonly name: string
  readonly model: string | null
  readonly pid: number
  readonly answers: readonly (ScriptedAnswer | string | number)[]
}

const repository = new URL('../..', import.meta.url).pathname

/**
 * Replicas that do what requests tell them: real processes whose runners speak the protocol and call each other, with no
 * code of functions in between. A model named `slow-…` takes 150 ms to load.
 */
export async function writeCallingReplica(directory: string): Promise<string> {
  const path = join(directory, 'calling.ts')
  await writeFile(path, source)
  return path
}

/** The functions that can be called by their names; a model that is not asked for is none. */
export function targetsOf(deployments: readonly Deployment[]): CallTargets {
  return {
    async find({ head }): Promise<CallTarget> {
      const deployment = deployments.find(({ name }) => name === head.function)
      if (!deployment) throw functionNotFound(head.function)
      const model = head.model ? modelOf(head.model) : null
      return { deployment, model, method: 'POST', url: `/${head.function}` }
    },
  }
}

const source = `
import { FrameConnection } from '${repository}runtime/replica/connection.ts'
import { decodeHead, decodeJson, encodeHead, encodeJson, frameFlags, frameKinds, readUint32 } from '${repository}runtime/replica/frame.ts'

const runners = new Map()
process.on('disconnect', () => process.exit(0))
process.on('message', (command) => {
  if (command.kind === 'start') new Runner(command.order)
  else runners.get(command.runner)?.socket?.terminate()
})
process.send({ kind: 'ready' })
setInterval(() => process.send({ kind: 'health', health: { residentSetBytes: 1, eventLoopLagMs: 0 } }), 1000)

class Runner {
  open = new Map()
  calls = new Map()
  waitingLine = []
  gathering = []
  running = 0
  nextCall = 1
  stopping = false
  constructor(order) {
    this.order = order
    runners.set(order.runner, this)
    void this.start()
  }
  async start() {
    const { order } = this
    this.socket = await Bun.connect({
      unix: order.gateway.unix,
      socket: {
        open: () => undefined,
        data: (_, bytes) => { for (const frame of this.connection.receive(bytes)) this.receive(frame) },
        drain: () => this.connection.drained(),
        close: () => { runners.delete(order.runner); process.send({ kind: 'ended', runner: order.runner, refusal: null }) },
      },
    })
    this.connection = new FrameConnection(this.socket)
    this.connection.send(frameKinds.hello, 0, 0, [encodeJson({ runner: order.runner, nonce: order.nonce })])
    if (order.model?.id.startsWith('slow')) await Bun.sleep(150)
    this.connection.send(frameKinds.ready, 0, 0, [encodeJson({ providers: [], fallbacks: [], grownBytes: 0 })])
  }
  receive({ kind, id, flags, payload }) {
    if (kind === frameKinds.request) {
      const { head, body } = decodeHead(payload)
      const request = { id, head, script: decodeJson(body), cancelled: false, credit: 256 * 1024, wake: null }
      this.open.set(id, request)
      this.gathering.push(request)
      if (flags & frameFlags.more) return
      const batch = { requests: this.gathering, calls: 0 }
      this.gathering = []
      for (const each of batch.requests) each.batch = batch
      this.waitingLine.push(batch)
      this.pump()
    } else if (kind === frameKinds.cancel) {
      const request = this.open.get(id)
      if (!request) return
      request.cancelled = true
      request.wake?.()
      for (const call of this.calls.values()) if (call.request === request) call.settle('CANCELLED')
    } else if (kind === frameKinds.credit) {
      const request = this.open.get(id)
      if (!request) return
      request.credit += readUint32(payload, 0)
      request.wake?.()
    } else if (kind === frameKinds.stop) {
      this.stopping = true
      this.finish()
    } else {
      const call = this.calls.get(id)
      if (!call) return
      if (kind === frameKinds.callReply) {
        call.settle(flags & frameFlags.json ? decodeJson(payload) : decodeJson(decodeHead(payload).body))
      } else if (kind === frameKinds.callRefusal) call.settle(decodeJson(payload).code)
      else if (kind === frameKinds.callStreamChunk) {
        call.bytes += payload.length
        const credit = new Uint8Array(4)
        new DataView(credit.buffer).setUint32(0, payload.length, true)
        this.connection.send(frameKinds.callCredit, id, 0, [credit])
      } else if (kind === frameKinds.callStreamEnd) call.settle(flags & frameFlags.streamBroken ? 'BROKEN' : call.bytes)
    }
  }
  pump() {
    while (this.running < this.order.concurrency) {
      const batch = this.waitingLine.shift()
      if (!batch) return
      this.running += 1
      void Promise.all(batch.requests.map((request) => this.answer(request))).finally(() => {
        this.running -= 1
        this.pump()
      })
    }
  }
  call(request, { to, model = null, timeoutMs = null, leaveMs, parent = request.id, lies = {}, id = this.nextCall++, ...script }) {
    const { promise, resolve } = Promise.withResolvers()
    const { batch } = request
    batch.calls += 1
    if (batch.calls === 1) { this.running -= 1; this.pump() }
    const settle = (value) => {
      if (!this.calls.delete(id)) return
      batch.calls -= 1
      if (batch.calls === 0) this.running += 1
      resolve(value)
    }
    this.calls.set(id, { request, settle, bytes: 0 })
    const head = { parent, through: [], function: to, model, deployment: null, timeoutMs, params: {}, query: '', contentType: 'application/json', ...lies }
    this.connection.send(frameKinds.call, id, 0, [...encodeHead(head), encodeJson(script)])
    if (leaveMs !== undefined) setTimeout(() => {
      this.connection.send(frameKinds.callCancel, id, 0, [])
      settle('LEFT')
    }, leaveMs)
    return promise
  }
  async answer(request) {
    const { script, id } = request
    const answers = []
    for (const group of script.calls ?? []) {
      const made = group.map((each) => this.call(request, each))
      if (!script.hasty) answers.push(...(await Promise.all(made)))
    }
    if (script.ms) await Bun.sleep(script.ms)
    if (script.end === 'kill') process.kill(process.pid, 'SIGKILL')
    if (script.end === 'hang') while (!request.cancelled) await Bun.sleep(5)
    if (script.pieces) await this.stream(request)
    else if (request.cancelled) this.connection.send(frameKinds.refusal, id, 0, [encodeJson({ code: 'CANCELLED', message: 'gone' })])
    else {
      const { name, model } = this.order
      const answer = { name, model: model?.id ?? null, pid: process.pid, answers }
      this.connection.send(frameKinds.reply, id, frameFlags.json, [encodeJson(answer)])
    }
    for (const call of [...this.calls.values()]) if (call.request === request) call.settle('LATE')
    this.open.delete(id)
    this.finish()
  }
  async stream(request) {
    const { id, script } = request
    this.connection.send(frameKinds.streamStart, id, 0, [encodeJson({ status: 200, headers: [['content-type', 'application/x-ndjson']] })])
    const piece = new Uint8Array(64 * 1024)
    for (let sent = 0; sent < script.pieces && !request.cancelled; sent += 1) {
      while (request.credit < piece.length && !request.cancelled) await new Promise((resolve) => { request.wake = resolve })
      request.credit -= piece.length
      this.connection.send(frameKinds.streamChunk, id, 0, [piece])
    }
    this.connection.send(frameKinds.streamEnd, id, request.cancelled ? frameFlags.streamBroken : 0, [])
  }
  finish() {
    if (this.stopping && this.open.size === 0) this.connection.end()
  }
}
`
