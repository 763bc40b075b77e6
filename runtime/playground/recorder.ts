import { mixChannels, resample, type Sound } from './sound.ts'

/** A recording under way. */
export interface Recording {
  /** Ends it, and gives what was heard: an audio file of the browser's choice. */
  stop(): Promise<Blob>
}

/** Begins to record from the microphone. @throws {DOMException} where there is none, or it may not be heard */
export async function startRecording(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  const recorder = new MediaRecorder(stream)
  const parts: Blob[] = []
  recorder.addEventListener('dataavailable', ({ data }) => parts.push(data))
  recorder.start()
  return {
    stop: () =>
      new Promise((resolve) => {
        recorder.addEventListener('stop', () => {
          for (const track of stream.getTracks()) track.stop()
          resolve(new Blob(parts, { type: recorder.mimeType }))
        })
        recorder.stop()
      }),
  }
}

/** Decodes an audio file to one channel of a rate. @throws {DOMException} where the browser cannot decode it */
export async function decodeSound(file: Blob, sampleRateHz: number): Promise<Float32Array> {
  // Decoding needs a context; one that renders nothing asks for no permission to play.
  const context = new OfflineAudioContext(1, 1, 48_000)
  const buffer = await context.decodeAudioData(await file.arrayBuffer())
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) =>
    buffer.getChannelData(channel),
  )
  const sound: Sound = { samples: mixChannels(channels), sampleRateHz: buffer.sampleRate }
  return resample(sound, sampleRateHz)
}
