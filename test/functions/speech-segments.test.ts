import { zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { segmentsOf, toCsv } from '../../functions/_speech/segments.ts'
import { jobProcessesOf } from '../e2e/jobs-project.ts'
import { bareSpeech } from '../support/bare-speech.ts'
import {
  makeExampleProject,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'
import { vowels } from '../support/vowels.ts'
import { waveFile } from '../support/wave-file.ts'

const silence = new Array<number>(16_000).fill(0)
const spoken = [...silence, ...vowels(2), ...silence]
const archive = zipSync({
  'spoken.wav': new Uint8Array(waveFile(spoken)),
  'quiet/silent.wav': new Uint8Array(waveFile(silence)),
  'read me.txt': new Uint8Array(3),
})

describe('speech-segments', () => {
  let project: TestProject
  let server: TestServer
  let files: ReturnType<typeof Bun.serve>
  beforeAll(async () => {
    files = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(archive) })
    project = await makeExampleProject({ inputHosts: [`http://${files.hostname}:${files.port}`] })
    server = await startServer(project, 'serve')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
    await files.stop(true)
  })

  it('finds speech in the files of an upload', async () => {
    const body = new FormData()
    body.set('archive', new Blob([archive], { type: 'application/zip' }), 'sounds.zip')
    const { job, token } = await submit({ body })
    expect(job, JSON.stringify(job)).toMatchObject({ state: 'succeeded', progress: { overall: 100 } })
    expect(job.steps.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['fetch', 'skipped'],
      ['decode', 'done'],
      ['infer', 'done'],
      ['write', 'done'],
    ])
    const { sounds, speechSeconds } = (await server.call(job.links.result, { token })).json
    expect(sounds).toMatchObject([
      { name: 'spoken.wav', seconds: 4 },
      { name: 'quiet/silent.wav', seconds: 1, segments: [] },
    ])
    const [{ segments }] = sounds
    expect(segments.length).toBeGreaterThan(0)
    for (const { startSeconds, endSeconds } of segments) {
      expect(startSeconds).toBeGreaterThan(0.9)
      expect(endSeconds).toBeLessThan(3.2)
      expect(endSeconds - startSeconds).toBeGreaterThanOrEqual(0.25)
    }
    expect(speechSeconds).toBeGreaterThan(0.25)
    const csv = job.files.find(({ name }: { name: string }) => name === 'segments.csv')
    expect((await server.call(csv.url, { token })).text).toBe(toCsv(sounds))
    const json = job.files.find(({ name }: { name: string }) => name === 'segments.json')
    expect((await server.call(json.url, { token })).json).toEqual(sounds)
  })

  it('fetches an archive by its address, and finds the same', async () => {
    const { job, token } = await submit({ json: { url: `${files.url}sounds.zip` } })
    expect(job, JSON.stringify(job)).toMatchObject({
      state: 'succeeded',
      steps: [{ name: 'fetch', state: 'done' }, {}, {}, {}],
    })
    const { sounds } = (await server.call(job.links.result, { token })).json
    expect(sounds).toHaveLength(2)
  })

  it('hears a sound of more than one call as one', async () => {
    const start = 28.5
    const options = { threshold: 0.2, minSpeechSeconds: 0, minSilenceSeconds: 0.1 }
    const late = [...new Array<number>(start * 16_000).fill(0), ...spoken]
    const json = { ...upload(zipSync({ 'late.wav': new Uint8Array(waveFile(late)) })), ...options }
    const { job, token } = await submit({ json })
    const [{ segments, seconds }] = (await server.call(job.links.result, { token })).json.sounds
    expect(seconds).toBe(start + 4)
    expect(segments).toEqual(segmentsOf(await bareSpeech(late.map(stored)), options))
    expect(segments.some(({ endSeconds }: { endSeconds: number }) => endSeconds > 30)).toBe(true)
  })

  it('goes on with what was recorded where its process is killed', async () => {
    const long = new Uint8Array(waveFile([...spoken, ...vowels(16)]))
    const json = upload(zipSync({ 'a.wav': long, 'b.wav': long, 'c.wav': long }))
    const token = await server.token('speech')
    const submitted = await server.call('/speech-segments', { json, token })
    const look = async () => (await server.call(submitted.json.links.self, { token })).json
    await until(async () => (await look()).steps.length === 2)
    for (const pid of jobProcessesOf(server)) process.kill(pid, 'SIGKILL')
    await until(async () => (await look()).endedMs !== null)
    const job = await look()
    expect(job, JSON.stringify(job)).toMatchObject({ state: 'succeeded', attempt: 2 })
    expect(job.steps.map(({ name }: { name: string }) => name)).toEqual(['fetch', 'decode', 'infer', 'write'])
    const { sounds } = (await server.call(job.links.result, { token })).json
    expect(sounds.map(({ name }: { name: string }) => name)).toEqual(['a.wav', 'b.wav', 'c.wav'])
    expect(sounds[1].segments).toEqual(sounds[0].segments)
    expect(sounds[2].segments).toEqual(sounds[0].segments)
    expect(sounds[0].segments.length).toBeGreaterThan(0)
  })

  it.each([
    ['nothing', {}, 'fetch', 'Send a zip as "archive", or its address as "url".'],
    ['what is no zip', upload(Buffer.from('no zip')), 'decode', 'The archive holds no WAV file.'],
    [
      'a name that climbs',
      upload(zipSync({ '../a.wav': new Uint8Array(1) })),
      'decode',
      'which is not taken',
    ],
    [
      'what is no sound',
      upload(zipSync({ 'a.wav': new Uint8Array(100) })),
      'decode',
      'The file "a.wav" is no WAV file.',
    ],
    ['an address that may not be asked', { url: 'http://127.0.0.1:1/a.zip' }, 'fetch', ''],
  ])('says why it refuses %s', async (_, json, step, reason) => {
    const { job } = await submit({ json })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'STEP_FAILED', step } })
    expect(job.error.message).toContain(reason)
    expect(job.error.message).not.toContain('log')
  })

  async function submit(options: { readonly json?: unknown; readonly body?: BodyInit }) {
    const token = await server.token('speech')
    const headers = { prefer: 'wait=30' }
    const { json, text } = await server.call('/speech-segments', { ...options, token, headers })
    expect(json?.state, text).toBeDefined()
    return { job: json, token }
  }
})

describe('segmentsOf', () => {
  const options = { threshold: 0.5, minSpeechSeconds: 0.064, minSilenceSeconds: 0.064 }
  const find = (probabilities: readonly number[]) =>
    segmentsOf(probabilities, options).map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds])

  it.each([
    ['nothing in silence', [0, 0.1, 0.49], []],
    ['a stretch', [0, 0.9, 0.9, 0], [[0.032, 0.096]]],
    ['speech that goes on a little below the threshold', [0.9, 0.4, 0.36, 0.34], [[0, 0.096]]],
    ['no speech that is shorter than it has to be', [0, 0.9, 0], []],
    ['one stretch around a short silence', [0.9, 0, 0.9], [[0, 0.096]]],
    [
      'two stretches around a long one',
      [0.9, 0.9, 0, 0, 0.9, 0.9],
      [
        [0, 0.064],
        [0.128, 0.192],
      ],
    ],
  ])('finds %s', (_, probabilities, expected) => {
    expect(find(probabilities)).toEqual(expected)
  })

  it('makes a table whose names are quoted', () => {
    const segments = [{ startSeconds: 0.032, endSeconds: 1 }]
    expect(toCsv([{ name: 'a, "b".wav', segments }])).toBe(
      'file,start_seconds,end_seconds\n"a, ""b"".wav",0.032,1\n',
    )
  })
})

/** A sample as it comes out of a file of 16 bits. */
function stored(sample: number): number {
  return Math.round(sample * 32_767) / 32_768
}

/** Parameters with an archive as text. */
function upload(bytes: Uint8Array): { readonly archive: string } {
  return { archive: Buffer.from(bytes).toString('base64') }
}
