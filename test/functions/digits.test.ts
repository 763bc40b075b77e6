import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { heldOutSamples } from '../../functions/_models/digits/samples.ts'
import { makeExampleProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

/** The model's README states 98.8 %; every answer is the same on each machine but for the last digits of its scores. */
const leastAccuracy = 0.987

describe('digits', () => {
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

  it('reads the 2,000 held-out digits over HTTP', async () => {
    const samples = heldOutSamples()
    expect(samples).toHaveLength(2_000)
    const token = await server.token('digits')
    let right = 0
    const next = samples.values()
    const client = async (): Promise<void> => {
      for (const { pixels, digit } of next) {
        const reply = await server.call('/digits', { json: { pixels }, token })
        expect(reply.status, reply.text).toBe(200)
        if (reply.json.digit === digit) right += 1
      }
    }
    await Promise.all(Array.from({ length: 32 }, client))
    expect(right / samples.length).toBeGreaterThanOrEqual(leastAccuracy)
  })

  it('gives scores that are probabilities', async () => {
    const [sample] = heldOutSamples()
    const reply = await server.call('/digits', {
      json: { pixels: sample?.pixels },
      token: await server.token('digits'),
    })
    const scores: number[] = reply.json.scores
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 6)
    expect(scores.indexOf(Math.max(...scores))).toBe(reply.json.digit)
  })
})
