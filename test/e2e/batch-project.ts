import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type Reply, startServer, type TestProject, type TestServer } from '../support/server.ts'

/** How many requests are a full batch of every function here. */
export const fullBatch = 4

/**
 * Answers in batches of four, writes down what it is given, and does what an input says. A batch that is not full
 * waits for longer than any test lasts while another runs, so that a test decides who is together.
 */
const batched = `
import { appendFileSync, existsSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

const note = (line) => appendFileSync('notes', line + '\\n')
const outcomes = {
  error: () => new Error('a secret of the developer'),
  wrong: () => ({ name: 5 }),
  missing: () => undefined,
}
const endings = {
  throw: () => { throw new Error('a secret of the developer') },
  few: (results) => results.slice(1),
  many: (results) => [...results, ...results],
  nothing: () => undefined,
  object: (results) => ({ length: results.length, ...results }),
  text: () => 'four',
  hang: () => new Promise(() => {}),
  loop: () => { for (;;); },
  kill: () => process.kill(process.pid, 'SIGKILL'),
}
export default defineInference({
  access: 'public',
  input: Type.Object({ name: Type.String(), act: Type.Optional(Type.String()) }),
  output: Type.Object({ name: Type.String(), together: Type.Integer() }),
  model: multiplexed(() => null, { default: 'one' }),
  batch: { maxSize: ${fullBatch}, maxDelayMs: 60_000 },
  async infer(inputs, { signal }) {
    const names = inputs.map(({ name }) => name).join(' ')
    note('began ' + names)
    for (const { name, act } of inputs)
      if (act === 'hold') while (!existsSync('go ' + name) && !signal.aborted) await Bun.sleep(5)
    note((signal.aborted ? 'left ' : 'ended ') + names)
    const results = inputs.map(({ name, act }) => (act in outcomes ? outcomes[act]() : { name, together: inputs.length }))
    const ending = inputs.map(({ act }) => endings[act]).find(Boolean)
    return ending ? await ending(results) : results
  },
})
`

/** A server of functions that answer in batches, which a test puts together. */
export interface BatchServer extends AsyncDisposable {
  readonly project: TestProject
  readonly server: TestServer
  /** Asks the function of that name to do something. */
  ask(name: string, act?: string, options?: Asking): Promise<Reply>
  /** Lets an input go that is held. */
  letGo(name: string): Promise<void>
  /** What the function has written down. */
  notes(): Promise<string>
  /** Waits until all that was sent before has reached the gateway, and what follows from it the runner. */
  turns(): Promise<void>
}

/** What may differ from one request to the next. */
export interface Asking {
  readonly path?: string
  readonly signal?: AbortSignal
}

/** Starts a server with `/batched`, and `/hurried` which has two seconds for its answers. */
export async function startBatchServer(): Promise<BatchServer> {
  const project = await makeProject({
    'functions/batched.ts': batched,
    'functions/hurried.ts': batched.replace("access: 'public',", "access: 'public',\n  timeoutMs: 2_000,"),
    'functions/_models/one/model.onnx': addConstantModel(1),
  })
  const server = await startServer(project, 'serve', ['--replicas', '1'])
  return {
    project,
    server,
    async ask(name, act, { path = '/batched', signal } = {}) {
      const response = await fetch(`${new URL(server.url).origin}${path}`, {
        method: 'POST',
        body: JSON.stringify({ name, act }),
        headers: { 'content-type': 'application/json' },
        ...(signal ? { signal } : {}),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: JSON.parse(text) }
    },
    letGo: (name) => writeFile(join(project.directory, `go ${name}`), ''),
    notes: () => readFile(join(project.directory, 'notes'), 'utf8').catch(() => ''),
    async turns() {
      for (let count = 0; count < 50; count += 1) await server.call('/healthz')
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}
