import * as ort from 'onnxruntime-node'

const windowSamples = 512
const contextSamples = 64

/** The probabilities of speech that the model of the examples gives for a sound, window by window, by onnxruntime alone. */
export async function bareSpeech(audio: readonly number[]): Promise<number[]> {
  const session = await ort.InferenceSession.create('functions/_models/speech/model.onnx')
  const sr = new ort.Tensor('int64', BigInt64Array.of(16_000n), [])
  let state = new ort.Tensor('float32', new Float32Array(2 * 128), [2, 1, 128])
  let context = new Float32Array(contextSamples)
  const probabilities: number[] = []
  for (let start = 0; start < audio.length; start += windowSamples) {
    const sound = new Float32Array(contextSamples + windowSamples)
    sound.set(context)
    sound.set(audio.slice(start, start + windowSamples), contextSamples)
    context = sound.slice(-contextSamples)
    const input = new ort.Tensor('float32', sound, [1, sound.length])
    const { output, stateN } = await session.run({ input, state, sr })
    probabilities.push(Number(output?.data[0]))
    state = stateN as ort.TypedTensor<'float32'>
  }
  await session.release()
  return probabilities
}
