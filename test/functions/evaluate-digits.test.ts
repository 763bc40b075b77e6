import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tally, toCsv, toSvg } from '../../functions/_digits/confusion.ts'
import { makeExampleProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

describe('evaluate-digits', () => {
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

  it('judges the model by all held-out digits, and leaves a table and a picture', async () => {
    const token = await server.token('digits')
    const headers = { prefer: 'wait=30' }
    const reply = await server.call('/evaluate-digits', { json: {}, token, headers })
    expect(reply.json, reply.text).toMatchObject({ state: 'succeeded', progress: { overall: 100 } })

    const result = await server.call(reply.json.links.result, { token })
    const { count, right, accuracy, confusion } = result.json
    expect(count).toBe(2_000)
    // The model's README states 98.8 %.
    expect(accuracy).toBeGreaterThanOrEqual(0.987)
    expect(accuracy).toBe(right / count)
    const diagonal = confusion.map((counts: number[], digit: number) => counts[digit])
    expect(sum(diagonal)).toBe(right)
    expect(sum(confusion.flat())).toBe(count)
    expect(reply.json.metrics.inference).toEqual({ accuracy })

    const [table, picture] = reply.json.files
    expect((await server.call(table.url, { token })).text).toBe(toCsv(confusion))
    expect((await server.call(picture.url, { token })).text).toBe(toSvg(confusion))
  })

  it('takes no more digits than there are, before there is a job', async () => {
    const token = await server.token('digits')
    const reply = await server.call('/evaluate-digits', { json: { count: 2_001 }, token })
    expect([reply.status, reply.json.issues[0].path]).toEqual([422, '/count'])
  })
})

describe('a confusion matrix', () => {
  const confusion = tally([7, 7, 1, 0], [7, 1, 1, 0])

  it('has a row for each digit that was written', () => {
    expect(confusion[7]).toEqual([0, 1, 0, 0, 0, 0, 0, 1, 0, 0])
    expect(confusion[1]).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(sum(confusion.flat())).toBe(4)
  })

  it('is a table with a head', () => {
    const [head, zero, ...more] = toCsv(confusion).trimEnd().split('\n')
    expect(head).toBe('written,read 0,read 1,read 2,read 3,read 4,read 5,read 6,read 7,read 8,read 9')
    expect(zero).toBe('0,1,0,0,0,0,0,0,0,0,0')
    expect(more).toHaveLength(9)
  })

  it('is a picture of a hundred squares on white, shaded by the share of the row', () => {
    const picture = toSvg(confusion)
    expect(picture.match(/<rect x=/g)).toHaveLength(100)
    expect(picture).toContain('<rect width="440" height="440" fill="#ffffff"/>')
    expect(picture).toMatch(/>read<.*\n.*>written</)
    expect(picture.match(/fill-opacity="0\.500"/g)).toHaveLength(2)
    expect(picture.match(/fill-opacity="1\.000"/g)).toHaveLength(2)
    expect(picture).not.toContain('NaN')
  })
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
