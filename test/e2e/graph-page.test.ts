import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

const header = `
import { Type } from '@sinclair/typebox'
import { bind, defineFunction, defineGraph, defineInference, derive, each, input, onnx, tensor, when } from 'isoplex'
const shared = { access: 'public', runs: ['server', 'browser'] }
`

/** Adds what its model holds. */
const adding = (model: string): string => `${header}
export default defineInference({
  ...shared,
  input: Type.Object({ x: Type.Number() }),
  output: Type.Number(),
  model: onnx({ default: '${model}', inputs: ['x'], outputs: ['y'] }),
  async infer({ x }, { model }) {
    if (x > 1_000) throw new RangeError('too large')
    const { y } = await model.run({ x: tensor('float32', Float32Array.of(x), [1]) })
    return Number(y.item())
  },
})
`
const both = `${header}
import one from './one.ts'
import ten from './ten.ts'

const asked = input(Type.Object({ xs: Type.Array(Type.Number()), wide: Type.Boolean() }))
const ones = bind(one, each(asked.xs, (x) => ({ x })))
const tens = when(asked.wide, () => bind(ten, each(asked.xs, (x) => ({ x }))), () => asked.xs)
export default defineGraph({
  ...shared,
  input: asked,
  answer: { ones, tens, place: derive(0, () => ('Bun' in globalThis ? 'server' : 'page')) },
})
`
const hosting = `import { defineFunction } from 'isoplex'
const page = '<!doctype html><link rel="icon" href="data:,"><title>Host</title>'
export default defineFunction({
  access: 'public',
  handler: () => new Response(page, { headers: { 'content-type': 'text/html' } }),
})
`
const files = {
  'functions/one.ts': adding('one'),
  'functions/ten.ts': adding('ten'),
  'functions/both.ts': both,
  'functions/host.ts': hosting,
  'functions/_models/one/model.onnx': addConstantModel(1),
  'functions/_models/ten/model.onnx': addConstantModel(10),
}

/** What a page does, as text, since it is for the page as it stands. */
const askInPage = `(async () => {
  const { createClient, webEngine } = await import('/-/browser/client.js')
  const client = createClient({ baseUrl: location.origin, local: webEngine() })
  const answers = []
  for (const [xs, wide] of [[[1, 2], true], [[1], false], [[1, 2000], false]]) {
    try {
      const { output, ran } = await client.both.infer({ xs, wide }, { where: 'browser' })
      answers.push({ output, where: ran.where })
    } catch (error) {
      answers.push(String(error))
    }
  }
  return answers
})()`

describe('a graph in a project for browsers', () => {
  it('is refused where a node may not run there, which is named with the place of the graph', async () => {
    const serverOnly = adding('ten').replace('...shared', "access: 'public'")
    await using project = await makeProject({ ...files, 'functions/ten.ts': serverOnly })
    const { code, stderr } = await project.run('build')
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/functions\/both\.ts:\d+/)
    expect(stderr).toMatch(/the function of its node "ten" does not/)
  })
})

describe.runIf(hasChromium)('a graph in a page', { timeout: 120_000 }, () => {
  let project: TestProject
  let server: TestServer
  let browser: Browser

  beforeAll(async () => {
    project = await makeProject(files)
    server = await startServer(project, 'dev', ['--replicas', '1'])
    browser = await launchChromium()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
    await project?.[Symbol.asyncDispose]()
  })

  it('answers with all of its models there, as a server does', async () => {
    const page = await browser.newPage()
    await page.goto(`${server.url}/host`)
    const answer = await page.evaluate(askInPage)
    expect(answer).toEqual([
      { output: { ones: [2, 3], tens: [11, 12], place: 'page' }, where: 'browser' },
      { output: { ones: [2], tens: [1], place: 'page' }, where: 'browser' },
      expect.any(String),
    ])
    await page.close()
    const { json } = await server.call('/both', { json: { xs: [1, 2], wide: true } })
    expect(json).toEqual({ ones: [2, 3], tens: [11, 12], place: 'server' })
  })
})
