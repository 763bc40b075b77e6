import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bareSpeech } from '../support/bare-speech.ts'
import { makeExampleProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { vowels } from '../support/vowels.ts'

const sampleRate = 16_000
const windowSamples = 512

describe('speech', () => {
  let project: TestProject
  let server: TestServer
  beforeAll(async () => {
    project = await makeExampleProject()
    server = await startServer(project, 'serve')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  it('answers as a bare onnxruntime loop over the same audio', async () => {
    const audio = vowels(2)
    const reply = await listen(audio)
    const expected = await bareSpeech(audio)
    expect(reply.probabilities).toHaveLength(expected.length)
    expect(largestDifference(reply.probabilities, expected)).toBeLessThan(1e-6)
    // A constant answer would be equal as well: the audio has sound that the model takes for speech, and silence.
    expect(Math.max(...expected)).toBeGreaterThan(0.5)
    expect(Math.min(...expected)).toBeLessThan(0.1)
  })

  it('goes on where the state of the last reply left off', async () => {
    const audio = vowels(1).slice(0, 20 * windowSamples)
    const whole = await listen(audio)
    const first = await listen(audio.slice(0, 7 * windowSamples))
    const second = await listen(audio.slice(7 * windowSamples), first.state)
    expect([...first.probabilities, ...second.probabilities]).toEqual(whole.probabilities)
    expect(second.state).toBe(whole.state)
  })

  it('keeps callers apart that are heard together', async () => {
    const clips = [vowels(1), vowels(1.5), new Array<number>(sampleRate).fill(0), vowels(0.5)]
    const alone = []
    for (const clip of clips) alone.push(await listen(clip))
    const together = await Promise.all(clips.flatMap((clip) => [listen(clip), listen(clip)]))
    for (const [index, reply] of together.entries()) {
      const expected = alone[Math.floor(index / 2)]?.probabilities ?? []
      expect(largestDifference(reply.probabilities, expected)).toBeLessThan(1e-5)
    }
  })

  it('refuses a state that it did not give', async () => {
    const token = await server.token('speech')
    const json = { audio: vowels(0.1), state: 'AAAA' }
    const reply = await server.call('/speech', { json, token })
    expect([reply.status, reply.json.issues[0].path]).toEqual([422, '/state'])
  })

  async function listen(audio: readonly number[], state?: string) {
    const token = await server.token('speech')
    const reply = await server.call('/speech', { json: { audio, ...(state ? { state } : {}) }, token })
    expect(reply.status, reply.text).toBe(200)
    return reply.json as { probabilities: number[]; state: string }
  }
})

function largestDifference(left: readonly number[], right: readonly number[]): number {
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN))))
}
