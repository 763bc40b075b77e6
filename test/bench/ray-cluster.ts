import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, markRayProcesses } from '../support/ray-processes.ts'
import { installRayPython } from '../support/ray-python.ts'
import { modelCases } from './model-case.ts'

/** How Ray Serve is started. */
export interface RaySettings {
  readonly environment: Readonly<Record<string, string>>
  /** Replicas of the gate, which reads requests. */
  readonly gates: number
  /** Replicas of what answers them. */
  readonly replicas: number
  /** By what its gate takes tokens to be good, HS256. */
  readonly secret: string
}

/** Ray Serve with `ray/app.py`, in processes of its own. */
export interface RayCluster extends AsyncDisposable {
  readonly url: string
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const sources = join(repository, 'test/bench/ray')

/**
 * Starts Ray Serve and waits until it answers; nothing of it is left once it is disposed of. Its Python packages are
 * installed where they are not.
 *
 * @throws {Error} where there is no Python 3.11, or Ray does not start.
 */
export async function startRay({ environment, ...settings }: RaySettings): Promise<RayCluster> {
  const python = await installRayPython(join(sources, 'requirements.txt'))
  await using stack = new AsyncDisposableStack()
  // Ray's sockets are in it, and the path of a socket must be short.
  const folder = await mkdtemp(join(tmpdir(), 'ray-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const processes = markRayProcesses(folder)
  const child = Bun.spawn([python, join(sources, 'app.py')], {
    env: { ...processes.environment, ...environment },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: Bun.file(join(folder, 'log')),
  })
  // What Ray starts leaves the process group, and some of it outlives the rest.
  stack.defer(() => processes.end())
  stack.defer(async () => {
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await child.exited
    clearTimeout(timer)
  })
  const port = freePort()
  child.stdin.write(
    `${JSON.stringify({ ...settings, folder, port, models: { vad: modelCases.vad.path } })}\n`,
  )
  child.stdin.flush()
  if (!(await says(child.stdout, 'ready\n'))) {
    throw new Error(`Ray did not start:\n${await Bun.file(join(folder, 'log')).text()}`)
  }
  const owned = stack.move()
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Waits for a text among what a process says; `false` where it ends without. */
async function says(stream: ReadableStream<Uint8Array>, text: string): Promise<boolean> {
  let said = ''
  const decoder = new TextDecoder()
  // Never given back: whoever writes more must not meet a closed pipe.
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return false
    said += decoder.decode(value, { stream: true })
    if (said.includes(text)) return true
  }
}
