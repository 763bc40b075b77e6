import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to the replies for some paths on their way back. */
export interface Fault {
  /** Which requests: their path, without the query. */
  readonly path: RegExp
  /**
   * `cut` closes the connection after so many bytes of the body; `alter` changes the byte at that place; `stall` sends
   * so many bytes and then nothing until the fault is over; `miss` answers 404 with no body.
   */
  readonly harm: 'cut' | 'alter' | 'stall' | 'miss'
  /** Bytes of the body that pass before. @default 0 */
  readonly atByte?: number
  /** How many replies it befalls. @default all of them */
  readonly times?: number
}

/** A fault that is in force. It is over at the end of its scope. */
export interface FaultInForce extends Disposable {
  /** How many replies it has befallen. */
  readonly count: number
  /** Ends it, and closes the connections of the replies that it has stalled. */
  cut(): void
}

/** A request that went through. */
export interface PassedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** The header `range`, `null` for none. */
  readonly range: string | null
  /** Bytes of the reply's body that were sent on. */
  bodyBytes: number
}

/** A way to a server on which replies can be harmed, and that can be torn down and built up again. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string
  readonly requests: readonly PassedRequest[]
  /** The requests whose path fits. */
  requestsFor(path: RegExp): readonly PassedRequest[]
  /** Harms replies from now on. */
  harm(fault: Fault): FaultInForce
  /** Ends every connection and takes no more: whoever asks is refused. */
  leave(): Promise<void>
  /** Listens again, at the same address. */
  return(): Promise<void>
}

interface ActiveFault extends Fault {
  count: number
  readonly over: PromiseWithResolvers<'cut' | 'pass'>
}

/** Headers that are between two neighbours only (RFC 9110, 7.6.1). */
const hopHeaders: readonly string[] = ['connection', 'keep-alive', 'transfer-encoding', 'host']

/** What pages of other origins need to read a status. */
const open = { 'access-control-allow-origin': '*' }

/** Starts one on 127.0.0.1 before a server. Bodies pass as they are, compressed ones too. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const requests: PassedRequest[] = []
  const faults = new Set<ActiveFault>()
  const faultFor = (path: string): ActiveFault | undefined =>
    [...faults].find(
      (fault) => fault.path.test(path) && fault.count < (fault.times ?? Number.POSITIVE_INFINITY),
    )
  const server = createServer((request, response) => {
    const passed = recordOf(request)
    requests.push(passed)
    // What a browser asks beforehand passes unharmed.
    const fault = passed.method === 'OPTIONS' ? undefined : faultFor(passed.path)
    void pass(target, request, response, { passed, fault }).catch(() => response.destroy())
  })
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  const leave = (): Promise<void> => close(server)
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    requestsFor: (path) => requests.filter((request) => path.test(request.path)),
    harm(fault) {
      const active = { ...fault, count: 0, over: Promise.withResolvers<'cut' | 'pass'>() }
      faults.add(active)
      const end = (how: 'cut' | 'pass'): void => {
        faults.delete(active)
        active.over.resolve(how)
      }
      return {
        get count() {
          return active.count
        },
        cut: () => end('cut'),
        [Symbol.dispose]: () => end('pass'),
      }
    },
    leave,
    return: () => listen(server, port),
    [Symbol.asyncDispose]: leave,
  }
}

function recordOf({ method = '', url = '', headers }: IncomingMessage): PassedRequest {
  return { method, path: url.split('?', 1)[0] ?? '', range: headers.range ?? null, bodyBytes: 0 }
}

async function pass(
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
  { passed, fault }: { readonly passed: PassedRequest; readonly fault: ActiveFault | undefined },
): Promise<void> {
  if (fault) fault.count += 1
  if (fault?.harm === 'miss') return void response.writeHead(404, open).end()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const reply = await fetch(target + request.url, await toFetch(request, gone.signal))
  response.writeHead(reply.status, headersOf(reply.headers))
  for await (const chunk of reply.body ?? []) {
    const left = fault === undefined ? null : (fault.atByte ?? 0) - passed.bodyBytes
    const harmed = left !== null && left >= 0 && left < chunk.length
    if (harmed && fault?.harm === 'alter') chunk[left] = ~(chunk[left] ?? 0)
    const sent = harmed && fault?.harm !== 'alter' ? chunk.subarray(0, left) : chunk
    passed.bodyBytes += sent.length
    if (!response.write(sent)) await drained(response)
    if (harmed && fault?.harm === 'cut') return void response.destroy()
    if (harmed && fault?.harm === 'stall') {
      const how = await Promise.race([fault.over.promise, closed(response)])
      if (how === 'cut') return void response.destroy()
    }
    if (sent.length < chunk.length) {
      passed.bodyBytes += chunk.length - sent.length
      response.write(chunk.subarray(sent.length))
    }
  }
  response.end()
}

async function toFetch(request: IncomingMessage, signal: AbortSignal): Promise<BunFetchRequestInit> {
  const { method = 'GET', headers } = request
  const kept = Object.entries(headers).filter(([name]) => !hopHeaders.includes(name))
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  const bodied = method !== 'GET' && method !== 'HEAD'
  return {
    method,
    headers: kept.map(([name, value]) => [name, String(value)]),
    decompress: false,
    redirect: 'manual',
    signal,
    ...(bodied ? { body: Buffer.concat(chunks) } : {}),
  }
}

function headersOf(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !hopHeaders.includes(name)))
}

function drained(response: ServerResponse): Promise<void> {
  return happened(response, ['drain', 'close'])
}

function closed(response: ServerResponse): Promise<void> {
  return happened(response, ['close'])
}

/** Waits for the first of some events. */
function happened(response: ServerResponse, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) response.off(event, done)
      resolve()
    }
    for (const event of events) response.once(event, done)
    if (response.destroyed) done()
  })
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve()
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
