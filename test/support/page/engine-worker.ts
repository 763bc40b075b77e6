/** The worker of a page that lends its engine to a test: orders come over a web socket, one answer each. */
import { createOnnxWebEngine } from '../../../adapters/onnx-web/engine.ts'
import type { ModelFiles } from '../../../adapters/onnx-web/model-files.ts'
import { type DeviceTensor, isDeviceTensor } from '../../../runtime/engine/device-tensor.ts'
import type { Engine, Feeds, Session, SessionOptions } from '../../../runtime/engine/engine.ts'
import { toWire } from '../../../runtime/error/wire.ts'
import { decodeMessage, encodeMessage } from '../browser-message.ts'
import type { EngineEvent, EngineOrder, EngineSetup } from '../browser-order.ts'

const sessions = new Map<number, Session<string>>()
const tensors = new Map<number, DeviceTensor>()
const engines = new Map<number, Engine>()
let next = 1

// Counts what is copied out of the GPU's memory.
const mapForReading = 1
let downloads = 0
if ('GPUBuffer' in globalThis) {
  const { mapAsync } = GPUBuffer.prototype
  GPUBuffer.prototype.mapAsync = function (this: GPUBuffer, mode, ...range) {
    if (mode === mapForReading) downloads++
    return mapAsync.call(this, mode, ...range)
  }
}

const query = new URL(location.href).searchParams
const socket = new WebSocket(query.get('socket') ?? '')
socket.binaryType = 'arraybuffer'
socket.addEventListener('message', async ({ data }: MessageEvent<ArrayBuffer>) => {
  const { id, order } = decodeMessage(new Uint8Array(data)) as { id: number; order: EngineOrder }
  try {
    send({ id, value: await obey(order) })
  } catch (error) {
    send(error instanceof TypeError ? { id, typeError: error.message } : { id, error: toWire(error) })
  }
})

function send(message: unknown): void {
  socket.send(encodeMessage(message))
}

const files: ModelFiles = {
  async read(place) {
    const response = await fetch(place)
    if (!response.ok) throw new Error('there is no such file')
    return new Uint8Array(await response.arrayBuffer())
  },
  siblings: async (place) => (await fetch(`${place}?siblings`)).json() as Promise<string[]>,
}

function createEngine({ options }: EngineSetup): number {
  const id = next++
  const tell = (event: EngineEvent): void => send({ event, engine: id })
  engines.set(
    id,
    createOnnxWebEngine({
      ...options,
      files,
      onFallback: (fallback) => tell({ kind: 'fallback', fallback }),
      onStage: (stage) => tell({ kind: 'stage', stage }),
      onLost: ({ message }) => tell({ kind: 'lost', reason: message }),
    }),
  )
  return id
}

async function obey(order: EngineOrder): Promise<unknown> {
  switch (order.kind) {
    case 'create':
      return createEngine(order.setup)
    case 'load':
      return load(order.engine, order.location, order.options)
    case 'run': {
      const { session } = order
      const answers = await sessionOf(session).run(withTensors(order.feeds))
      const named = Object.entries(answers).map(([name, answer]) => [
        name,
        isDeviceTensor(answer) ? keep(answer) : answer,
      ])
      return { answers: Object.fromEntries(named), provider: sessionOf(session).provider }
    }
    case 'dispose':
      return sessionOf(order.session).dispose()
    case 'read':
      return tensors.get(order.tensor)?.read()
    case 'downloads':
      return downloads
    case 'free':
      return tensors.get(order.tensor)?.dispose()
  }
}

async function load(engine: number, place: unknown, options: SessionOptions<string>): Promise<unknown> {
  const session = await engines.get(engine)?.load(place as string, options)
  if (session === undefined) throw new Error(`there is no engine ${engine}`)
  sessions.set(next, session)
  const { inputs, outputs, provider } = session
  return { session: next++, inputs, outputs, provider }
}

function sessionOf(id: number): Session<string> {
  const session = sessions.get(id)
  if (session === undefined) throw new Error(`there is no session ${id}`)
  return session
}

function keep(tensor: DeviceTensor): unknown {
  tensors.set(next, tensor)
  return { $device: next++, type: tensor.type, dims: tensor.dims }
}

function withTensors(feeds: Readonly<Record<string, unknown>>): Feeds {
  const placed = Object.entries(feeds).map(([name, feed]) => {
    const known = typeof feed === 'object' && feed !== null && '$device' in feed ? feed.$device : null
    return [name, known === null ? feed : tensors.get(Number(known))]
  })
  return Object.fromEntries(placed)
}
