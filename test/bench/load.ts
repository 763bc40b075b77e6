import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { treeMicroseconds } from './tree-time.ts'

/** A load, and what it is sent to. */
export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** @default `POST` where there is a body, else `GET` */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** What each request carries. */
  readonly body?: string | Uint8Array
  /** The process of the server, where it is to be told what a request costs it. */
  readonly serverPid?: number
}

/** What came of a load. */
export interface LoadOutcome {
  readonly requestsPerSecond: number
  /** Half of the requests took at most so many milliseconds. */
  readonly p50Ms: number
  /** Of a hundred requests, 99 took at most so many milliseconds. */
  readonly p99Ms: number
  /** Requests that were answered with a status from 400, not within 30 s, or not at all. */
  readonly failures: number
  /** The cores that the load generator kept busy, on average. */
  readonly generatorCores: number
  /** Processor time that each request took of the server and its children; `null` where nobody asked for it. */
  readonly serverMicroseconds: number | null
}

/** What the script tells at the end, in wrk's units: microseconds. */
interface Report {
  readonly requests: number
  readonly failures: number
  readonly duration: number
  readonly p50: number
  readonly p99: number
}

const reportMark = 'report: '

/**
 * Sends a load by wrk, a process of its own: each connection has one request under way at a time.
 *
 * wrk has no word for a body, so a script in its language, Lua, reads it from a file.
 *
 * @throws {Error} where wrk is not here, or a request failed.
 */
export async function sendLoad(load: Load): Promise<LoadOutcome> {
  const outcome = await countLoad(load)
  if (outcome.failures > 0) throw new Error(`${outcome.failures} requests to ${load.url} failed.`)
  return outcome
}

/**
 * As {@link sendLoad}, but requests that fail are counted only.
 *
 * @throws {Error} where wrk is not here, or could not send anything.
 */
export async function countLoad(load: Load): Promise<LoadOutcome> {
  if (Bun.which('wrk') === null) throw new Error('wrk is not here; Debian has it: apt-get install wrk')
  const folder = await mkdtemp(join(tmpdir(), 'isoplex-load-'))
  try {
    const bodyFile = join(folder, 'body')
    const scriptFile = join(folder, 'load.lua')
    if (load.body !== undefined) await writeFile(bodyFile, load.body)
    await writeFile(scriptFile, scriptOf(load, bodyFile))
    const timeOf = async (): Promise<number | null> =>
      load.serverPid === undefined ? null : await treeMicroseconds(load.serverPid)
    const before = await timeOf()
    const numbers = ['-t', '1', '-c', String(load.connections), '-d', `${load.seconds}s`, '--timeout', '30s']
    const child = Bun.spawn(['wrk', ...numbers, '-s', scriptFile, load.url], {
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [text, complaint, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    if (code !== 0) throw new Error(`The load on ${load.url} failed:\n${text}${complaint}`)
    const cpuMicroseconds = Number(child.resourceUsage()?.cpuTime.total ?? 0)
    const after = await timeOf()
    return toOutcome(text, cpuMicroseconds, before === null || after === null ? null : after - before)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Reads what wrk printed.
 *
 * @throws {Error} where the script's report is not in it, or tells of no request.
 */
export function toOutcome(
  text: string,
  cpuMicroseconds: number,
  serverMicroseconds: number | null,
): LoadOutcome {
  const line = text.split('\n').find((each) => each.startsWith(reportMark))
  const report: Report | null = line === undefined ? null : JSON.parse(line.slice(reportMark.length))
  if (report === null || report.requests === 0) throw new Error(`wrk tells of no request:\n${text}`)
  return {
    requestsPerSecond: (report.requests / report.duration) * 1e6,
    p50Ms: report.p50 / 1e3,
    p99Ms: report.p99 / 1e3,
    failures: report.failures,
    generatorCores: cpuMicroseconds / report.duration,
    serverMicroseconds: serverMicroseconds === null ? null : serverMicroseconds / report.requests,
  }
}

/** The script: it sets the request up once, before the first one, and reports when all is over. */
function scriptOf({ method, headers = {}, body }: Load, bodyFile: string): string {
  const lines = [`wrk.method = ${quote(method ?? (body === undefined ? 'GET' : 'POST'))}`]
  for (const [name, value] of Object.entries(headers)) {
    lines.push(`wrk.headers[${quote(name)}] = ${quote(value)}`)
  }
  if (body !== undefined) lines.push(`wrk.body = assert(io.open(${quote(bodyFile)}, 'rb')):read('*a')`)
  const fields: Readonly<Record<keyof Report, string>> = {
    requests: 'summary.requests',
    failures: 'errors.connect + errors.read + errors.write + errors.timeout + errors.status',
    duration: 'summary.duration',
    p50: 'latency:percentile(50)',
    p99: 'latency:percentile(99)',
  }
  const form = Object.keys(fields).map((name) => `"${name}":%d`)
  return `${lines.join('\n')}
function done(summary, latency)
  local errors = summary.errors
  print(string.format('${reportMark}{${form.join(',')}}', ${Object.values(fields).join(', ')}))
end
`
}

/** A text as Lua reads it: bytes that are not plain are written by their numbers. */
function quote(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text))
  const plain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
  const numbered = (byte: number): string => `\\${String(byte).padStart(3, '0')}`
  return `"${bytes.map((byte) => (plain(byte) ? String.fromCharCode(byte) : numbered(byte))).join('')}"`
}
