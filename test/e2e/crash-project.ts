import { expect } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { isAlive } from '../support/process-table.ts'
import {
  type CallOptions,
  makeProject,
  type Reply,
  type TestProject,
  type TestServer,
} from '../support/server.ts'

const header = `
import { Type } from '@sinclair/typebox'
import { defineFunction, defineInference, multiplexed, onnx, tensor } from 'isoplex'
`

/** Adds what its model holds. */
const add = `${header}
export default defineInference({
  access: 'public',
  input: Type.Object({ x: Type.Number() }),
  model: onnx({ default: 'one' }),
  async infer({ x }, { model }) {
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(x), [1]) })
    return { y: y.item() }
  },
})
`

/** Waits for a while, as a function does that asks another service. */
const wait = `${header}
export default defineFunction({
  access: 'public',
  query: Type.Object({ ms: Type.Integer({ default: 20 }) }),
  handler: async ({ query }) => {
    await Bun.sleep(query.ms)
    return { waited: query.ms }
  },
})
`

/** Does what its input says, to its own process and thread. */
const hostile = `${header}
import { read } from 'bun:ffi'

export default defineFunction({
  access: 'public',
  input: Type.Object({ act: Type.String(), ms: Type.Optional(Type.Number()) }),
  handler: async ({ input }) => {
    console.log('printed by a function')
    const pid = process.pid
    const never = new Promise(() => {})
    if (input.act === 'kill') process.kill(pid, 'SIGKILL')
    if (input.act === 'segfault') read.u8(8)
    if (input.act === 'exit') process.exit(0)
    if (input.act === 'throw later') setTimeout(() => { throw new Error('thrown later') }, 1)
    if (input.act === 'reject later') setTimeout(() => { void Promise.reject(new Error('rejected later')) }, 1)
    if (input.act.endsWith('later')) await never
    return { pid }
  },
})
`

/** Does not end, one way or the other. */
const stuck = `${header}
export default defineFunction({
  access: 'public',
  timeoutMs: 1000,
  input: Type.Object({ how: Type.String() }),
  handler: async ({ input }) => {
    if (input.how === 'loop') for (;;);
    if (input.how === 'hang') await new Promise(() => {})
    return { pid: process.pid }
  },
})
`

/** Answers in batches, and dies with its process where one input says so. */
const fragile = `${header}
export default defineInference({
  access: 'public',
  input: Type.Object({ x: Type.Number() }),
  model: multiplexed(() => null, { default: 'one' }),
  batch: { maxSize: 8, maxDelayMs: 50 },
  async infer(inputs) {
    await Bun.sleep(10)
    if (inputs.some(({ x }) => x < 0)) process.kill(process.pid, 'SIGKILL')
    return inputs.map(({ x }) => ({ x, together: inputs.length }))
  },
})
`

/** Must not run twice: says on a file that it has begun. */
const once = `${header}
import { appendFileSync } from 'node:fs'

export default defineFunction({
  access: 'public',
  idempotent: false,
  input: Type.Object({ file: Type.String() }),
  handler: async ({ input }) => {
    appendFileSync(input.file, 'begun\\n')
    await Bun.sleep(60_000)
  },
})
`

/** A project whose functions can be made to die in many ways, and a server's usual ones beside them. */
export function makeCrashProject(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestProject> {
  const usual = {
    'functions/add.ts': add,
    'functions/wait.ts': wait,
    'functions/hostile.ts': hostile,
    'functions/stuck.ts': stuck,
    'functions/fragile.ts': fragile,
    'functions/once.ts': once,
    'functions/_models/one/model.onnx': addConstantModel(1),
  }
  return makeProject({ ...usual, ...files }, settings)
}

/** Expects that all of some processes have ended within a second. */
export async function expectGone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => pids.filter(isAlive), { timeout: 1_000, interval: 10 }).toEqual([])
}

/** The process ids of a server's replicas, the spare among them. */
export async function replicasOf(server: TestServer): Promise<number[]> {
  const command = ['ps', '-o', 'pid=,args=', '--ppid', String(server.pid)]
  const listing = await new Response(Bun.spawn(command, { stdout: 'pipe' }).stdout).text()
  return listing
    .split('\n')
    .filter((line) => line.includes('entry/replica.ts'))
    .map((line) => Number.parseInt(line, 10))
}

/** What loops of requests have seen. */
export interface Load {
  /** How many were answered with 200. */
  readonly answered: number
  /** What else came, as text. */
  readonly failures: readonly string[]
  /** Ends the loops and waits for their last answers. */
  stop(): Promise<void>
}

/** Sends requests in so many loops, each the next as soon as the last is answered. */
export function startLoad(loops: number, send: (count: number) => Promise<Reply>): Load {
  let stopped = false
  let sent = 0
  const load = { answered: 0, failures: [] as string[] }
  const loop = async (): Promise<void> => {
    while (!stopped) {
      sent += 1
      const outcome = await send(sent).catch((error: unknown) => String(error))
      if (typeof outcome !== 'string' && outcome.status === 200) load.answered += 1
      else load.failures.push(typeof outcome === 'string' ? outcome : `${outcome.status} ${outcome.text}`)
    }
  }
  const all = Promise.all(Array.from({ length: loops }, loop))
  return Object.assign(load, {
    async stop() {
      stopped = true
      await all
    },
  })
}

/** Load of both kinds: a model that computes, and a function that waits. */
export function startMixedLoad(server: TestServer, loops = 8): Load {
  return startLoad(loops, (count) =>
    count % 2 === 0 ? server.call('/add', { json: { x: count } }) : server.call('/wait?ms=20'),
  )
}

/** Calls the hostile function. */
export function act(server: TestServer, what: string, options: CallOptions = {}): Promise<Reply> {
  return server.call('/hostile', { json: { act: what }, ...options })
}
