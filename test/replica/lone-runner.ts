import type { FunctionLog, ModelInfo } from '../../runtime/define/context.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import type { Engine } from '../../runtime/engine/engine.ts'
import type { WireError } from '../../runtime/error/wire.ts'
import { createOutboundPolicy } from '../../runtime/network/policy.ts'
import type { CallHead } from '../../runtime/replica/call-head.ts'
import { createInputFetch } from '../../runtime/replica/fetched-input.ts'
import {
  concat,
  decodeHead,
  decodeJson,
  encodeHead,
  encodeJson,
  type FrameKind,
  frameFlags,
  frameKinds,
  readUint32,
} from '../../runtime/replica/frame.ts'
import type { PayloadPart } from '../../runtime/replica/frame-writer.ts'
import { Runner } from '../../runtime/replica/runner.ts'
import type { HeldPart } from '../../runtime/runner/graph-parts.ts'
import { jsonReplyHead, type ReplyHead, type RequestHead } from '../../runtime/runner/head.ts'
import { createPlainEngine } from '../define/engine.ts'
import { headOf } from './request-head.ts'

/** What a runner has sent for one request, put together. */
export interface Answered {
  head: ReplyHead | null
  text: string
  error: WireError | null
  /** How it ended: `null` while it goes on. */
  end: 'reply' | 'refusal' | 'stream' | 'broken' | null
}

/** A call that a runner has sent. */
export interface SentCall {
  readonly id: number
  readonly head: CallHead
  readonly body: Uint8Array
  cancelled: boolean
  creditBytes: number
}

/** A line of the log. */
export interface Line {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A runner without a process around it: requests go in as frames, and what comes out is put together. */
export class LoneRunner {
  readonly runner: Runner
  readonly lines: Line[] = []
  /** The calls that its function has made, and what was told of them since. */
  readonly calls: SentCall[] = []
  readonly #answered = new Map<number, Answered>()
  readonly #looks = new Set<() => void>()

  constructor(
    definition: Definition,
    options: {
      model?: ModelInfo
      engine?: Engine
      concurrency?: number
      inputHosts?: readonly string[]
      nameOf?: (definition: Definition) => string | null
      parts?: readonly HeldPart[]
      isApart?: (name: string) => boolean
    } = {},
  ) {
    const write =
      (level: string) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
        void this.lines.push({ level, message, fields })
    const log: FunctionLog = {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    }
    this.runner = new Runner({
      name: 'lone',
      definition,
      model: options.model ?? null,
      engine: options.engine ?? createPlainEngine({}),
      concurrency: options.concurrency ?? 1,
      parts: options.parts ?? [],
      nameOf: options.nameOf ?? (() => null),
      isApart: options.isApart ?? (() => false),
      fetchInput: createInputFetch(createOutboundPolicy(options.inputHosts ?? [])),
      log,
      send: (kind, id, flags, payload) => this.#receive(kind, id, flags, payloadOf(payload)),
      flush: () => undefined,
    })
  }

  /** Sends the requests of one batch: the value of each as JSON, or `undefined` for no body. */
  batch(requests: Readonly<Record<number, unknown>>, head: Partial<RequestHead> = {}): void {
    const entries = Object.entries(requests)
    for (const [index, [id, value]] of entries.entries()) {
      const body = value === undefined ? new Uint8Array() : encodeJson(value)
      const payload = concat(encodeHead(headOf({ requestId: `request-${id}`, ...head }), body))
      const flags = index < entries.length - 1 ? frameFlags.more : 0
      this.runner.receive({ kind: frameKinds.request, id: Number(id), flags, payload, tookUs: 0 })
    }
  }

  cancel(id: number): void {
    this.runner.receive({ kind: frameKinds.cancel, id, flags: 0, payload: new Uint8Array(), tookUs: 0 })
  }

  credit(id: number, bytes: number): void {
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, bytes, true)
    this.runner.receive({ kind: frameKinds.credit, id, flags: 0, payload, tookUs: 0 })
  }

  /** Answers a call as a gateway does. */
  answerCall(kind: FrameKind, id: number, flags: number, payload: readonly Uint8Array[]): void {
    this.runner.receive({ kind, id, flags, payload: concat(payload), tookUs: 0 })
  }

  /** What has come for a request so far. */
  answer(id: number): Answered {
    const known = this.#answered.get(id)
    if (known) return known
    const fresh: Answered = { head: null, text: '', error: null, end: null }
    this.#answered.set(id, fresh)
    return fresh
  }

  /** The value of a whole reply, as soon as it is there. */
  async value(id: number): Promise<unknown> {
    const { end, text } = await this.ended(id)
    if (end !== 'reply') throw new Error(`Request ${id} ended as ${end}.`)
    return JSON.parse(text)
  }

  /** The answer of a request, as soon as it has ended. */
  async ended(id: number): Promise<Answered> {
    await this.until(() => this.answer(id).end !== null)
    return this.answer(id)
  }

  /** Resolves as soon as what has come satisfies the test. */
  until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!test()) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  #receive(kind: FrameKind, id: number, flags: number, payload: Uint8Array<ArrayBuffer>): void {
    if (kind >= frameKinds.call) this.#receiveCall(kind, id, payload)
    else this.#receiveAnswer(kind, id, flags, payload)
    for (const look of [...this.#looks]) look()
  }

  #receiveCall(kind: FrameKind, id: number, payload: Uint8Array<ArrayBuffer>): void {
    const known = this.calls.find((call) => call.id === id)
    if (kind === frameKinds.call) {
      const { head, body } = decodeHead<CallHead>(payload)
      this.calls.push({ id, head, body, cancelled: false, creditBytes: 0 })
    } else if (!known) throw new Error(`Call ${id} is not known.`)
    else if (kind === frameKinds.callCancel) known.cancelled = true
    else known.creditBytes += readUint32(payload, 0)
  }

  #receiveAnswer(kind: FrameKind, id: number, flags: number, payload: Uint8Array<ArrayBuffer>): void {
    const answer = this.answer(id)
    if (answer.end) throw new Error(`Request ${id} was answered again.`)
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
    if (kind === frameKinds.reply) {
      const { head, body } =
        flags & frameFlags.json ? { head: jsonReplyHead, body: payload } : decodeHead<ReplyHead>(payload)
      Object.assign(answer, { head, text: text(body), end: 'reply' })
    } else if (kind === frameKinds.refusal) {
      Object.assign(answer, { error: decodeJson<WireError>(payload), end: 'refusal' })
    } else if (kind === frameKinds.streamStart) answer.head = decodeJson<ReplyHead>(payload)
    else if (kind === frameKinds.streamChunk) answer.text += text(payload)
    else if (kind === frameKinds.streamEnd) answer.end = flags & frameFlags.streamBroken ? 'broken' : 'stream'
  }
}

/** A payload as the other end reads it. */
function payloadOf(parts: readonly PayloadPart[]): Uint8Array<ArrayBuffer> {
  return concat(parts.map((part) => (typeof part === 'string' ? new TextEncoder().encode(part) : part)))
}

/** A runner that has come up. */
export async function startLone(...facts: ConstructorParameters<typeof LoneRunner>): Promise<LoneRunner> {
  const lone = new LoneRunner(...facts)
  await lone.runner.start()
  return lone
}

/** Lets everything run that can run by itself. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
