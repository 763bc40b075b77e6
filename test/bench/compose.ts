import sharp from 'sharp'
import { makeExampleProject, startServer, type TestServer } from '../support/server.ts'
import type { BenchmarkOptions } from './benchmarks.ts'
import { compare, type Figure, median, takeTurns } from './figure.ts'
import { startFunctionServer } from './function-server.ts'
import { sendLoad } from './load.ts'
import { openOcrScript } from './peers/ocr-script.ts'
import { treeMicroseconds } from './tree-time.ts'

/** The most that a call of a function by another may add, and a node of a graph, in microseconds. */
const limitMicroseconds = 150
/** Nodes of the graphs that are held against each other. */
const [fewNodes, manyNodes] = [1, 33]

/** What composition costs: a call of a function by another, a node of a graph, and all of it on a real picture. */
export async function* measureCompose({ quick }: BenchmarkOptions): AsyncGenerator<Figure, void, undefined> {
  {
    const graphs = [`graph-${fewNodes}`, `graph-${manyNodes}`]
    const functions = ['noop', 'noop-apart', 'handle-loop', ...graphs]
    await using server = await startFunctionServer({ functions })
    yield await measureHandle(server, { isApart: false, quick })
    yield await measureHandle(server, { isApart: true, quick })
    yield await measureNodes(server, quick)
  }
  yield* measureReading(quick)
}

/** What one call adds to the time of a function that takes none. */
async function measureHandle(
  server: TestServer,
  { isApart, quick }: { readonly isApart: boolean; readonly quick: boolean },
): Promise<Figure> {
  const calls = quick ? 500 : 10_000
  const name = isApart ? 'compose-handle-scheduled' : 'compose-handle-local'
  const { ours } = await takeTurns({
    name,
    rounds: quick ? 1 : 5,
    sides: {
      ours: async () => {
        const reply = await server.call('/handle-loop', { json: { calls, isApart } })
        if (reply.status !== 200)
          throw new Error(`/handle-loop was answered with ${reply.status}: ${reply.text}`)
        return (reply.json.elapsedMs * 1_000) / calls
      },
    },
  })
  return compare({
    name,
    unit: 'µs a call',
    peer: 'limit',
    goal: '<= 1',
    values: ours,
    peerValues: [limitMicroseconds],
    notes: { calls, through: isApart ? 'the gateway, to another replica' : 'nothing, in one runner' },
  })
}

/** What one node adds, by two graphs of different lengths over one connection. */
async function measureNodes(server: TestServer, quick: boolean): Promise<Figure> {
  const seconds = quick ? 1 : 3
  const body = JSON.stringify({ message: 'hello' })
  const microsecondsOf = (nodes: number) => async (): Promise<number> => {
    const url = `${server.url}/graph-${nodes}`
    const load = { url, connections: 1, seconds, body, headers: { 'content-type': 'application/json' } }
    const { requestsPerSecond } = await sendLoad({ ...load, serverPid: server.pid })
    return 1e6 / requestsPerSecond
  }
  // A runner that has just begun would be measured with its start.
  for (const nodes of [fewNodes, manyNodes]) {
    const { status, text } = await server.call(`/graph-${nodes}`, { json: { message: 'hello' } })
    if (status !== 200) throw new Error(`/graph-${nodes} was answered with ${status}: ${text}`)
  }
  const { few, many } = await takeTurns({
    name: 'compose-graph-node',
    rounds: quick ? 1 : 5,
    sides: { few: microsecondsOf(fewNodes), many: microsecondsOf(manyNodes) },
  })
  return compare({
    name: 'compose-graph-node',
    unit: 'µs a node',
    peer: 'limit',
    goal: '<= 1',
    values: many.map((whole, round) => (whole - (few[round] ?? Number.NaN)) / (manyNodes - fewNodes)),
    peerValues: [limitMicroseconds],
    notes: { nodes: [fewNodes, manyNodes], requestMicroseconds: [median(few), median(many)] },
  })
}

/** What reading a picture took. */
interface Reading {
  readonly elapsedMs: number
  readonly processorMs: number
  readonly text: string
}

/** A picture that is read by the example's graph over HTTP, and by the same steps in one script. */
async function* measureReading(quick: boolean): AsyncGenerator<Figure, void, undefined> {
  await using project = await makeExampleProject()
  await using server = await startServer(project, 'serve', ['--replicas', '1'])
  const script = await openOcrScript()
  const token = await server.token('ocr-detection')
  const picture = await drawPage()
  const headers = { 'content-type': 'image/png' }
  const read = async (): Promise<string> => {
    const { status, text, json } = await server.call('/ocr', { body: picture, token, headers })
    if (status !== 200) throw new Error(`/ocr was answered with ${status}: ${text}`)
    return textOf(json.lines)
  }
  const { ours, theirs } = await takeTurns({
    name: 'compose-ocr',
    rounds: quick ? 1 : 15,
    sides: {
      ours: () => timed(read, async () => (await treeMicroseconds(server.pid)) ?? Number.NaN),
      theirs: () =>
        timed(
          async () => textOf(await script.read(picture)),
          async () => ownMicroseconds(),
        ),
    },
  })
  const [here, there] = [ours[0]?.text, theirs[0]?.text]
  if (here !== there || !here?.includes('Hotel Aurora')) throw new Error(`Read otherwise: ${here} / ${there}`)
  const processorMs = (readings: readonly Reading[]): number =>
    median(readings.map(({ processorMs: each }) => each))
  yield compare({
    name: 'compose-ocr',
    unit: 'ms a picture',
    peer: 'the same steps in one script',
    goal: '<= 1.1',
    values: ours.map(({ elapsedMs }) => elapsedMs),
    peerValues: theirs.map(({ elapsedMs }) => elapsedMs),
    notes: {
      lines: pageLines.length,
      processorRatio: processorMs(ours) / processorMs(theirs),
      processorMs: [processorMs(ours), processorMs(theirs)],
    },
  })
}

async function timed(read: () => Promise<string>, microseconds: () => Promise<number>): Promise<Reading> {
  const [before, startedMs] = [await microseconds(), performance.now()]
  const text = await read()
  const elapsedMs = performance.now() - startedMs
  return { text, elapsedMs, processorMs: ((await microseconds()) - before) / 1_000 }
}

function ownMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function textOf(lines: readonly { readonly text: string }[]): string {
  return lines.map(({ text }) => text).join('\n')
}

const pageLines = [
  'Hotel Aurora',
  '14 Harbour Street, Bergen',
  'Room 207, three nights 612.00',
  'Breakfast, two guests 96.00',
  'Tourist tax 13.50',
  'Total in euros 721.50',
  'Paid by card on 3 May 2024',
  'We hope to see you again soon',
]

/** A bill of eight lines. */
async function drawPage(): Promise<Uint8Array<ArrayBuffer>> {
  const rows = pageLines.map((line, row) => `<text x="40" y="${70 + 60 * row}">${line}</text>`)
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="560">
    <rect width="100%" height="100%" fill="white"/>
    <g font-family="DejaVu Sans" font-size="32">${rows.join('')}</g></svg>`
  return new Uint8Array(await sharp(Buffer.from(drawing)).png().toBuffer())
}
