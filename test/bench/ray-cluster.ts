import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
  const python = await installPython()
  await using stack = new AsyncDisposableStack()
  // Ray's sockets are in it, and the path of a socket must be short.
  const folder = await mkdtemp(join(tmpdir(), 'ray-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const mark = crypto.randomUUID()
  const child = Bun.spawn([python, join(sources, 'app.py')], {
    env: { ...inherited(), ...quiet, ...haproxyPlaces(folder), ...environment, [markName]: mark },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: Bun.file(join(folder, 'log')),
  })
  // What Ray starts leaves the process group, and some of it outlives the rest.
  stack.defer(() => endMarked(mark))
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

const markName = 'ISOPLEX_BENCH_RAY'
/** Workers of Ray are niced by 15 unasked, and nobody reads what it would count and report. */
const quiet = {
  RAY_worker_niceness: '0',
  RAY_enable_metrics_collection: '0',
  RAY_USAGE_STATS_ENABLED: '0',
}

/** Where Ray has HAProxy keep its files, which it would leave behind elsewhere. */
function haproxyPlaces(folder: string): Readonly<Record<string, string>> {
  const prefix = 'RAY_SERVE_HAPROXY'
  return {
    [`${prefix}_CONFIG_FILE_LOC`]: join(folder, 'haproxy.cfg'),
    [`${prefix}_SOCKET_PATH`]: join(folder, 'admin.sock'),
    [`${prefix}_SERVER_STATE_BASE`]: folder,
    [`${prefix}_SERVER_STATE_FILE`]: join(folder, 'server-state'),
    [`${prefix}_METRICS_SOCKET_PATH`]: join(folder, 'metrics.sock'),
  }
}

function inherited(): Readonly<Record<string, string | undefined>> {
  const { RAY_ADDRESS: _, PYTHONPATH: __, ...rest } = process.env
  return rest
}

function freePort(): number {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const { port } = server
  void server.stop(true)
  if (port === undefined) throw new Error('There is no free port.')
  return port
}

/** The Python that has the packages of `ray/requirements.txt`, made where it is not there yet. */
async function installPython(): Promise<string> {
  const requirements = join(sources, 'requirements.txt')
  const digest = new Bun.CryptoHasher('sha256').update(await Bun.file(requirements).bytes()).digest('hex')
  const cache = join(repository, 'node_modules/.cache/ray')
  const place = join(cache, digest.slice(0, 16))
  const python = join(place, 'bin/python')
  if (await Bun.file(join(place, 'complete')).exists()) return python
  await rm(cache, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  await run(['python3.11', '-m', 'venv', place])
  await run([python, '-m', 'pip', 'install', '--quiet', '-r', requirements])
  await Bun.write(join(place, 'complete.partial'), '')
  await rename(join(place, 'complete.partial'), join(place, 'complete'))
  return python
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdout: 'ignore', stderr: 'inherit' })
  if ((await child.exited) !== 0) throw new Error(`"${command.join(' ')}" failed.`)
}

/** Ends all processes that have the mark in their environment. */
async function endMarked(mark: string): Promise<void> {
  const text = `${markName}=${mark}`
  for (;;) {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const marked = await Promise.all(pids.map(async (pid) => (await environmentOf(pid)).includes(text)))
    const found = pids.filter((_, index) => marked[index])
    if (found.length === 0) return
    for (const pid of found) kill(Number(pid))
    await Bun.sleep(100)
  }
}

/** The environment that a process was started with; nothing where it has ended or is another user's. */
function environmentOf(pid: string): Promise<string> {
  return Bun.file(`/proc/${pid}/environ`)
    .text()
    .catch(() => '')
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
