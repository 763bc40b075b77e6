import { Type } from '@sinclair/typebox'
import { defineInference, IsoplexError, onnx, type Tensor, tensor } from 'isoplex'

/** Samples that the model hears at a time: 32 ms at 16 kHz. */
const windowSamples = 512
/** The end of the window before, which the model hears again. */
const contextSamples = 64
/** What the model remembers of all that came before: two layers of 128 numbers. */
const memoryLayers = 2
const memoryWidth = 128
const sampleRate = tensor('int64', BigInt64Array.of(16_000n), [])

export default defineInference({
  description:
    'Tells how likely each 32 ms of audio holds speech. Send the `state` of one reply with the next request to go on.',
  input: Type.Object({
    audio: Type.Array(Type.Number({ minimum: -1, maximum: 1 }), {
      minItems: windowSamples,
      maxItems: 16_000 * 30,
      description: 'Mono samples at 16 kHz; a last part of less than 512 is filled with silence.',
    }),
    state: Type.Optional(Type.String({ format: 'byte', description: 'The state that the last reply gave.' })),
  }),
  output: Type.Object({
    probabilities: Type.Array(Type.Number(), { description: 'One for each 512 samples.' }),
    state: Type.String({ format: 'byte' }),
  }),
  runs: ['server', 'browser'],
  model: onnx({ default: 'speech', inputs: ['input', 'state', 'sr'], outputs: ['output', 'stateN'] }),
  batch: { maxSize: 64, maxDelayMs: 2 },
  async infer(inputs, { model, signal }) {
    const listeners = inputs.map(toListener)
    const able = listeners.filter((listener): listener is Listener => !(listener instanceof Error))
    for (let window = 0; !signal.aborted; window += 1) {
      const hearing = able.filter((listener) => window * windowSamples < listener.audio.length)
      if (hearing.length === 0) break
      const { output, stateN } = await model.run({
        input: soundOf(hearing, window),
        state: memoryOf(hearing),
        sr: sampleRate,
      })
      for (const [index, listener] of hearing.entries()) remember(listener, index, output, stateN)
    }
    return listeners.map((listener) => (listener instanceof Error ? listener : toResult(listener)))
  },
})

/** One request on its way through its audio, window by window. */
interface Listener {
  readonly audio: readonly number[]
  /** Layer by layer. */
  readonly memory: Float32Array<ArrayBuffer>
  readonly context: Float32Array<ArrayBuffer>
  readonly probabilities: number[]
}

function toListener({ audio, state }: { audio: number[]; state?: string }): Listener | Error {
  const memoryLength = memoryLayers * memoryWidth
  const bytes =
    state === undefined ? new Uint8Array(4 * (memoryLength + contextSamples)) : Uint8Array.fromBase64(state)
  if (bytes.length !== 4 * (memoryLength + contextSamples)) {
    const message = 'is not a state that this function gave'
    return new IsoplexError('INPUT_INVALID', `The state ${message}.`, {
      details: { issues: [{ path: '/state', message }] },
    })
  }
  const numbers = new Float32Array(bytes.buffer)
  return {
    audio,
    memory: numbers.slice(0, memoryLength),
    context: numbers.slice(memoryLength),
    probabilities: [],
  }
}

/** What each listener hears in a window: the end of the one before, then the window. */
function soundOf(listeners: readonly Listener[], window: number): Tensor<'float32'> {
  const heard = contextSamples + windowSamples
  const sound = new Float32Array(listeners.length * heard)
  for (const [index, { audio, context }] of listeners.entries()) {
    sound.set(context, index * heard)
    const start = window * windowSamples
    sound.set(audio.slice(start, start + windowSamples), index * heard + contextSamples)
    context.set(sound.subarray((index + 1) * heard - contextSamples, (index + 1) * heard))
  }
  return tensor('float32', sound, [listeners.length, heard])
}

function memoryOf(listeners: readonly Listener[]): Tensor<'float32'> {
  const memory = new Float32Array(memoryLayers * listeners.length * memoryWidth)
  for (let layer = 0; layer < memoryLayers; layer += 1) {
    for (const [index, listener] of listeners.entries()) {
      memory.set(layerOf(listener.memory, layer, 0, 1), (layer * listeners.length + index) * memoryWidth)
    }
  }
  return tensor('float32', memory, [memoryLayers, listeners.length, memoryWidth])
}

function remember(listener: Listener, index: number, output: Tensor, state: Tensor): void {
  listener.probabilities.push(Number(output.at(index)))
  const [, count = 1] = state.dims
  for (let layer = 0; layer < memoryLayers; layer += 1) {
    listener.memory.set(layerOf(state.data as Float32Array, layer, index, count), layer * memoryWidth)
  }
}

/** One listener's part of one layer of the memory of several. */
function layerOf(memory: Float32Array, layer: number, index: number, count: number): Float32Array {
  const start = (layer * count + index) * memoryWidth
  return memory.subarray(start, start + memoryWidth)
}

function toResult({ probabilities, memory, context }: Listener): { probabilities: number[]; state: string } {
  const state = new Float32Array(memory.length + context.length)
  state.set(memory)
  state.set(context, memory.length)
  return { probabilities, state: new Uint8Array(state.buffer).toBase64() }
}
