import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Processes of Ray that bear a mark in their environment, which whatever they start inherits. */
export interface RayProcesses {
  /** What the first of them is to be started with. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** All that have not ended, by what they were started as. */
  list(): Promise<readonly RayProcess[]>
  /** Ends all of them, however they have left their group. */
  end(): Promise<void>
}

/** One process of Ray, or one that it has started. */
export interface RayProcess {
  readonly pid: number
  readonly command: string
}

const markName = 'ISOPLEX_RAY_MARK'
/** Workers of Ray are niced by 15 unasked, and nobody reads what it would count and report. */
const quiet = {
  RAY_worker_niceness: '0',
  RAY_enable_metrics_collection: '0',
  RAY_USAGE_STATS_ENABLED: '0',
}

/** Makes a mark of its own for a Ray that keeps its files in a folder. */
export function markRayProcesses(folder: string): RayProcesses {
  const mark = crypto.randomUUID()
  const { RAY_ADDRESS: _, PYTHONPATH: __, ...inherited } = process.env
  const list = (): Promise<readonly RayProcess[]> => marked(`${markName}=${mark}`)
  return {
    environment: { ...inherited, ...quiet, ...haproxyPlaces(folder), [markName]: mark },
    list,
    async end() {
      for (;;) {
        const found = await list()
        if (found.length === 0) return
        for (const { pid } of found) kill(pid)
        await Bun.sleep(100)
      }
    },
  }
}

/** A port that nobody has. */
export function freePort(): number {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const { port } = server
  void server.stop(true)
  if (port === undefined) throw new Error('There is no free port.')
  return port
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

async function marked(text: string): Promise<readonly RayProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const processes = await Promise.all(
    pids.map(async (pid) => {
      if (!(await read(`/proc/${pid}/environ`)).includes(text)) return []
      return [
        { pid: Number(pid), command: (await read(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ').trim() },
      ]
    }),
  )
  return processes.flat()
}

/** Nothing where the process has ended or is another user's. */
function read(path: string): Promise<string> {
  return Bun.file(path)
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
