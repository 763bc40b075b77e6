import type { Browser } from 'playwright-core'
import { createJobDesk, type JobDesk } from '../support/job-server.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'
import { openPage, type PlaygroundOptions, type PlaygroundPage } from './playground-scene.ts'

const evaluate = `import { Type } from '@sinclair/typebox'
import { defineAction, defineStep } from 'isoplex'
export default defineAction({
  description: 'Reads held-out digits, and counts what is wrong.',
  access: 'public',
  category: 'neural_net',
  params: Type.Object({
    model: Type.String({ default: 'digits' }),
    count: Type.Integer({ minimum: 1, maximum: 10_000, default: 500 }),
  }),
  result: Type.Object({ accuracy: Type.Number(), perDigit: Type.Array(Type.Number()) }),
  steps: [
    defineStep({ name: 'fetch', weight: 1, execute: () => ({}) }),
    defineStep({ name: 'infer', weight: 8, execute: () => ({}) }),
    defineStep({ name: 'write', weight: 1, execute: () => ({}) }),
  ],
})
`

/** The playground of a server whose jobs do what a test says. */
export interface JobPlayground extends AsyncDisposable {
  readonly url: string
  readonly desk: JobDesk
}

/** Starts a server of the real command, with a desk in front of it that answers for the jobs. */
export async function startJobPlayground(): Promise<JobPlayground> {
  const project: TestProject = await makeProject({ 'functions/evaluate.ts': evaluate })
  const server: TestServer = await startServer(project, 'dev')
  const desk = createJobDesk()
  desk.routes.set('/evaluate', 'evaluate')
  const front = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const own = await desk.answer(request)
      if (own) return own
      const { pathname, search } = new URL(request.url)
      return await fetch(server.url + pathname + search, { decompress: false })
    },
  })
  return {
    url: `http://127.0.0.1:${front.port}`,
    desk,
    async [Symbol.asyncDispose]() {
      desk.cutOff()
      await front.stop(true)
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}

/** Opens the playground at a place within it, such as `#jobs`. */
export function openJobs(
  browser: Browser,
  { url }: JobPlayground,
  hash: string,
  options: PlaygroundOptions = {},
): Promise<PlaygroundPage> {
  return openPage(browser, `${url}/-/playground${hash}`, options)
}
