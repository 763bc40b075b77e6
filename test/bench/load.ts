/** A load, and what it is sent to. */
export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly headers?: Readonly<Record<string, string>>
}

/** What came of a load. */
export interface LoadOutcome {
  readonly requestsPerSecond: number
  /** The cores that the load generator kept busy, on average. */
  readonly generatorCores: number
}

/**
 * Sends a load by wrk, a process of its own.
 *
 * @throws {Error} where wrk is not here, or a request failed.
 */
export async function sendLoad({ url, connections, seconds, headers = {} }: Load): Promise<LoadOutcome> {
  if (Bun.which('wrk') === null) throw new Error('wrk is not here; Debian has it: apt-get install wrk')
  const words = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const command = ['wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, ...words, url]
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited])
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? []
  if (code !== 0 || rate === undefined || /Non-2xx|Socket errors/.test(text)) {
    throw new Error(`The load on ${url} failed:\n${text}`)
  }
  const cpuMicroseconds = Number(child.resourceUsage()?.cpuTime.total ?? 0)
  return { requestsPerSecond: Number(rate), generatorCores: cpuMicroseconds / 1e6 / seconds }
}
