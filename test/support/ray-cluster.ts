import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, markRayProcesses, type RayProcess } from './ray-processes.ts'
import { findRayPython } from './ray-python.ts'

/** How a cluster is started. */
export interface RayClusterSettings {
  /** Further variables of all of its processes. @default none */
  readonly environment?: Readonly<Record<string, string>>
  /** Machines that it is to seem to have, each with 8 cores. @default 2 */
  readonly nodes?: 1 | 2
  /** Whether Ray Serve is to answer through HAProxy. @default false */
  readonly haproxy?: boolean
  /** A Python with Ray and what applications import besides. @default the one that is found */
  readonly python?: string
}

/** A Ray cluster on this machine, its machines told apart by the resources `head` and `second`, with Ray Serve started and no application on it. */
export interface RayCluster extends AsyncDisposable {
  /** The REST interface of the dashboard. */
  readonly dashboardUrl: string
  /** Where Ray Serve answers. */
  readonly proxyUrl: string
  /** `HOST:PORT` by which Ray's own tools join it. */
  readonly address: string
  /** The folder of its files; it goes with the cluster. */
  readonly folder: string
  /** All processes of it, and those that these have started, by their command lines. */
  processes(): Promise<readonly RayProcess[]>
  /** Ends the second machine's raylet, as if the power had gone. */
  killSecondNode(): Promise<void>
  /** The ends of the logs of Ray Serve, for whoever looks for the reason of a failure. */
  logs(): Promise<string>
}

/** Why tests with Ray cannot run here; `null` where they can. */
export async function absenceOfRay(): Promise<string | null> {
  const python = await findRayPython()
  return python === null ? 'no Python has it; install adapters/ray-serve/requirements.txt' : null
}

/**
 * Starts a cluster on free ports and waits until Ray Serve can take applications; nothing of it is left once it is
 * disposed of. A start that fails is tried again: where the machine has much to do, Ray does not wait for itself.
 */
export function startRayCluster(settings: RayClusterSettings = {}): Promise<RayCluster> {
  return tryAgain(() => startOnce(settings))
}

/** Ray gives a machine half a minute to start, whatever else that has to do. */
async function tryAgain<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 3) throw error
      process.stderr.write(`Ray did not start: ${String(error).slice(-300)}\n`)
    }
  }
}

async function startOnce(settings: RayClusterSettings): Promise<RayCluster> {
  const python = settings.python ?? (await findRayPython())
  if (python === null) throw new Error('There is no Python with Ray.')
  await using stack = new AsyncDisposableStack()
  // Ray's sockets are in it, and the path of a socket must be short.
  const folder = await mkdtemp(join(tmpdir(), 'ray-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const processes = markRayProcesses(folder)
  stack.defer(() => processes.end())
  const environment = { ...processes.environment, ...variablesOf(settings), ...settings.environment }
  const ray = (...args: string[]): Promise<void> => runRay(python, folder, environment, args)
  const [port, dashboardPort, proxyPort] = [freePort(), freePort(), freePort()]
  const address = `127.0.0.1:${port}`
  const dashboardUrl = `http://127.0.0.1:${dashboardPort}`
  await ray(
    ...['--head', `--port=${port}`, '--dashboard-host=127.0.0.1', `--dashboard-port=${dashboardPort}`],
    ...[`--ray-client-server-port=${freePort()}`, `--temp-dir=${folder}`, ...nodeFlags('head')],
  )
  await startServe(dashboardUrl, proxyPort)
  if (settings.nodes !== 1) await tryAgain(() => ray(`--address=${address}`, ...nodeFlags('second')))
  const owned = stack.move()
  return {
    dashboardUrl,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    address,
    folder,
    processes: processes.list,
    async killSecondNode() {
      const raylets = (await processes.list()).filter(({ command }) =>
        /raylet_socket_name=\S*raylet\.\d/.test(command),
      )
      for (const { pid } of raylets) process.kill(pid, 'SIGKILL')
      if (raylets.length === 0) throw new Error('There is no second machine.')
    },
    logs: () => readLogs(folder),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function variablesOf({ haproxy = false }: RayClusterSettings): Readonly<Record<string, string>> {
  const patience = {
    RAY_SERVE_QUEUE_LENGTH_RESPONSE_DEADLINE_S: '2',
    // There is no use for workers before anything asks for them.
    RAY_prestart_worker_first_driver: '0',
    RAY_health_check_failure_threshold: '3',
    RAY_health_check_period_ms: '1000',
    // Of its own accord the dashboard gives its ten processes half a minute to start, and ends without a word.
    RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT: '120',
  }
  if (!haproxy) return patience
  return {
    ...patience,
    RAY_SERVE_ENABLE_HA_PROXY: '1',
    RAY_SERVE_THROUGHPUT_OPTIMIZED: '1',
    // What Ray asks for on its own account needs more open files than machines allow.
    RAY_SERVE_HAPROXY_MAXCONN: '2000',
    RAY_SERVE_HAPROXY_NBTHREAD: '1',
  }
}

/** Ports that two machines in one would both have. */
function nodeFlags(name: string): readonly string[] {
  return [
    '--num-cpus=8',
    `--resources=${JSON.stringify({ [name]: 100 })}`,
    '--object-store-memory=200000000',
    `--dashboard-agent-listen-port=${freePort()}`,
    `--dashboard-agent-grpc-port=${freePort()}`,
    '--min-worker-port=0',
    '--max-worker-port=0',
    '--disable-usage-stats',
  ]
}

async function runRay(
  python: string,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
): Promise<void> {
  const log = join(folder, 'start.log')
  const child = Bun.spawn([python, '-m', 'ray.scripts.scripts', 'start', ...args], {
    env: { ...env },
    cwd: folder,
    stdin: 'ignore',
    stdout: Bun.file(log),
    stderr: Bun.file(log),
  })
  if ((await child.exited) !== 0) throw new Error(await Bun.file(log).text())
}

/** Both machines have one address, on which only one proxy can listen. */
async function startServe(dashboardUrl: string, port: number): Promise<void> {
  await untilItListens(dashboardUrl)
  const reply = await fetch(`${dashboardUrl}/api/serve/applications/`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      proxy_location: 'HeadOnly',
      http_options: { host: '127.0.0.1', port },
      applications: [],
    }),
  })
  if (!reply.ok) throw new Error(`Ray Serve did not start: ${reply.status} ${await reply.text()}`)
}

/** The dashboard comes up when Ray says that it has started, or later. */
async function untilItListens(url: string): Promise<void> {
  const untilMs = performance.now() + 120_000
  for (;;) {
    const listens = await fetch(`${url}/api/version`).then(
      () => true,
      () => false,
    )
    if (listens) return
    if (performance.now() > untilMs) throw new Error(`The dashboard of Ray does not listen at ${url}.`)
    await Bun.sleep(100)
  }
}

async function readLogs(folder: string): Promise<string> {
  const directory = join(folder, 'session_latest/logs/serve')
  const names = await readdir(directory).catch(() => [])
  const texts = names
    .filter((name) => name.endsWith('.log'))
    .map(async (name) => `== ${name}\n${(await Bun.file(join(directory, name)).text()).slice(-4_000)}`)
  return (await Promise.all(texts)).join('\n')
}
