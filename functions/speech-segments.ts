import { type Static, Type } from '@sinclair/typebox'
import { defineAction, defineStep, file, modelId, type StepContext } from 'isoplex'
import { refuse, unpackSounds } from './_speech/archive.ts'
import { type Segment, segmentsOf, toCsv } from './_speech/segments.ts'
import { readWave, soundRate } from './_speech/wave.ts'
import speech from './speech.ts'

const Params = Type.Object({
  archive: Type.Optional(
    file({
      mediaTypes: ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'],
      description: 'A zip of WAV files; or give a `url`.',
    }),
  ),
  url: Type.Optional(Type.String({ format: 'uri', description: 'Where the zip is fetched from.' })),
  modelId: modelId({ default: 'speech' }),
  threshold: Type.Number({ minimum: 0.2, maximum: 0.95, default: 0.5 }),
  minSpeechSeconds: Type.Number({ minimum: 0, maximum: 60, default: 0.25 }),
  minSilenceSeconds: Type.Number({ minimum: 0, maximum: 60, default: 0.1 }),
})
type Context = StepContext<Static<typeof Params>>

const Sound = Type.Object({
  name: Type.String(),
  seconds: Type.Number(),
  segments: Type.Array(Type.Object({ startSeconds: Type.Number(), endSeconds: Type.Number() })),
})

/** A sound on its way to its segments: its samples are a file of the job, so that they outlive this process. */
interface DecodedSound {
  readonly name: string
  readonly file: string
  readonly seconds: number
}

/** Samples that the model hears at a time. */
const windowSamples = 512
/** Samples in one call, 30 seconds at most: whole windows, so that no silence is filled in but at the very end. */
const callSamples = Math.floor((30 * soundRate) / windowSamples) * windowSamples

const fetchArchive = defineStep({
  name: 'fetch',
  canSkip: ({ params }: Context) => params.archive !== undefined,
  async execute({ params, fetchInput, files }) {
    if (params.url === undefined) throw refuse('Send a zip as "archive", or its address as "url".')
    const { bytes } = await fetchInput(params.url, { maxBytes: 100_000_000, timeoutMs: 120_000 })
    await files.write('archive.zip', bytes, { mediaType: 'application/zip' })
  },
})

const decode = defineStep({
  name: 'decode',
  async execute({ params, files, requests, signal }: Context) {
    const archive = params.archive?.bytes ?? (await files.read('archive.zip'))
    for (const { name, bytes } of unpackSounds(archive)) {
      signal.throwIfAborted()
      const samples = readWave(bytes, name)
      const sound = { name, file: `sound-${requests.length + 1}.f32`, seconds: samples.length / soundRate }
      await files.write(sound.file, new Uint8Array(samples.buffer))
      requests.push(sound satisfies DecodedSound)
    }
    if (requests.length === 0) throw refuse('The archive holds no WAV file.')
  },
})

const infer = defineStep({
  name: 'infer',
  weight: 8,
  async execute(context: Context) {
    const { params, checkpoint, setProgress, results } = context
    const sounds = context.requests as DecodedSound[]
    // A process that died in the middle of this step has saved what it had heard to the end.
    if (checkpoint.value !== undefined) results.push(...(checkpoint.value as Static<typeof Sound>[]))
    for (const { name, file, seconds } of sounds.slice(results.length)) {
      const segments = segmentsOf(await listen(context, file), params)
      results.push({ name, seconds, segments: within(segments, seconds) })
      await checkpoint.save(results)
      setProgress(results.length, sounds.length)
    }
    context.processedCount = results.length
  },
})

const write = defineStep({
  name: 'write',
  async execute({ files, results }: Context) {
    const sounds = results as Static<typeof Sound>[]
    await files.write('segments.csv', toCsv(sounds), { mediaType: 'text/csv' })
    await files.write('segments.json', JSON.stringify(sounds), { mediaType: 'application/json' })
  },
})

/** How likely each 32 ms of a sound holds speech: heard in parts, each with the state that the one before left. */
async function listen({ params, handle, files }: Context, file: string): Promise<number[]> {
  const listener = handle(speech, { model: params.modelId })
  const samples = new Float32Array((await files.read(file)).slice().buffer)
  const probabilities: number[] = []
  let state: string | undefined
  for (let start = 0; start < samples.length; start += callSamples) {
    const audio = Array.from(samples.subarray(start, start + callSamples))
    while (audio.length < windowSamples) audio.push(0)
    const heard = await listener.infer({ audio, ...(state === undefined ? {} : { state }) })
    for (const probability of heard.probabilities) probabilities.push(probability)
    state = heard.state
  }
  return probabilities
}

/** The segments, none beyond the end of the sound: the last 32 ms may be silence that was filled in. */
function within(segments: readonly Segment[], seconds: number): Segment[] {
  return segments.map(({ startSeconds, endSeconds }) => ({
    startSeconds,
    endSeconds: Math.min(endSeconds, seconds),
  }))
}

/** An action of steps: each is recorded once it has ended, and a death takes the job back to the first that is not. */
export default defineAction({
  description: 'Finds where people speak in the WAV files of a zip.',
  category: 'neural_net',
  params: Params,
  result: Type.Object({ sounds: Type.Array(Sound), speechSeconds: Type.Number() }),
  steps: [fetchArchive, decode, infer, write],
  conclude({ results }) {
    const sounds = results as Static<typeof Sound>[]
    const lengths = sounds.flatMap(({ segments }) =>
      segments.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds),
    )
    const total = lengths.reduce((sum, seconds) => sum + seconds, 0)
    return { sounds, speechSeconds: Math.round(total * 1000) / 1000 }
  },
})
