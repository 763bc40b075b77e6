import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'

const edits = 20
const streamItems = 24

/** A function that says which version of the file it is: at once, late, or item by item. */
function version(number: number): string {
  return `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

const version = ${number}

async function* stream() {
  for (let index = 0; index < ${streamItems}; index += 1) {
    yield version
    await Bun.sleep(40)
  }
}

export default defineFunction({
  access: 'public',
  query: Type.Object({ how: Type.Union([Type.Literal('fast'), Type.Literal('slow'), Type.Literal('stream')]) }),
  async handler({ query }) {
    if (query.how === 'stream') return stream()
    if (query.how === 'slow') await Bun.sleep(300)
    return version
  },
})
`
}

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject({ 'functions/version.ts': version(0) })
  server = await startServer(project, 'dev', ['--replicas', '2'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

it('answers every request through twenty edits under load, by the code that was live when it came', async () => {
  let live = 0
  let ended = false
  const counts = { fast: 0, slow: 0, stream: 0 }
  const problems: unknown[] = []

  /** Asks again and again, each time expecting an answer of one version: that which is live, or a newer one. */
  async function ask(how: keyof typeof counts): Promise<void> {
    while (!ended) {
      const liveAtStart = live
      try {
        const response = await fetch(`${server.url}/version?how=${how}`)
        const lines = (await response.text()).trim().split('\n')
        const versions = new Set(lines.map(Number))
        const [answered = -1] = versions
        const whole = lines.length === (how === 'stream' ? streamItems : 1) && versions.size === 1
        if (response.status !== 200 || !whole || answered < liveAtStart) {
          problems.push({ how, liveAtStart, status: response.status, lines })
        }
        counts[how] += 1
      } catch (error) {
        problems.push({ how, liveAtStart, error })
      }
    }
  }

  const load = [
    ...Array.from({ length: 12 }, () => ask('fast')),
    ...Array.from({ length: 8 }, () => ask('slow')),
    ...Array.from({ length: 4 }, () => ask('stream')),
  ]
  await until(() => counts.fast > 100 && counts.slow > 0)
  for (let edit = 1; edit <= edits; edit += 1) {
    const before = server.events.length
    await project.write('functions/version.ts', version(edit))
    await server.event((told) => told.event === 'live' && server.events.indexOf(told) >= before)
    live = edit
  }
  const whileEditing = counts.fast
  await until(() => counts.fast > whileEditing + 100)
  ended = true
  await Promise.all(load)
  expect(problems).toEqual([])
  expect((await server.call('/version?how=fast')).json).toBe(edits)
  expect(counts.fast).toBeGreaterThan(edits * 50)
  expect(counts.slow).toBeGreaterThan(edits)
  expect(counts.stream).toBeGreaterThanOrEqual(8)
  expect(server.log()).not.toMatch(/"level":"(warn|error)"/)
  // The runners of all the versions before have gone.
  await until(async () => {
    const { ready } = (await server.call('/readyz')).json.replicas
    return ready.every((replica: { readonly runners: number }) => replica.runners <= 1)
  })
}, 60_000)
