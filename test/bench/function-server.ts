import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { makeProject, startServer, type TestServer } from '../support/server.ts'

/** What a server for a benchmark has. */
export interface FunctionServerOptions {
  /** Names of files in `fixtures/functions/`, without their ending. */
  readonly functions: readonly string[]
  /** By id, the models: a file's path, or bytes. */
  readonly models?: Readonly<Record<string, string | Uint8Array>>
  readonly flags?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** Replicas that a server starts unasked. */
export const replicaCount = Math.min(availableParallelism(), 4)

/** Starts `isoplex serve` in a process of its own, on a project made for it. */
export async function startFunctionServer(options: FunctionServerOptions): Promise<TestServer> {
  await using stack = new AsyncDisposableStack()
  const project = stack.use(await makeProject())
  for (const name of options.functions) {
    const source = new URL(`./fixtures/functions/${name}.ts`, import.meta.url)
    await project.write(`functions/${name}.ts`, await readFile(source))
  }
  for (const [id, model] of Object.entries(options.models ?? {})) {
    const path = join(project.directory, 'functions/_models', id, 'model.onnx')
    await mkdir(dirname(path), { recursive: true })
    await (typeof model === 'string' ? cp(model, path) : writeFile(path, model))
  }
  const flags = ['--replicas', String(replicaCount), ...(options.flags ?? [])]
  const server = stack.use(await startServer(project, 'serve', flags, options.environment))
  const owned = stack.move()
  return { ...server, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
