import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

const count = 200
const names = Array.from({ length: count }, (_, index) => `f${index}`)

/** A function that says which text it was written with, and which of its set-ups answers. */
function counting(text: string): string {
  return `import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  setup: () => crypto.randomUUID(),
  handler: ({ state }) => ({ text: ${JSON.stringify(text)}, setup: state }),
})
`
}

let project: TestProject
let server: TestServer

beforeAll(async () => {
  const files = names.map((name) => [`functions/${name}.ts`, counting(name)])
  project = await makeProject(Object.fromEntries(files))
  server = await startServer(project, 'dev', ['--replicas', '1'])
}, 60_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

/** The bundles by their names, with the times at which they were written. */
async function bundles(): Promise<ReadonlyMap<string, number>> {
  const builds = join(project.directory, '.isoplex/builds')
  const [build = ''] = await readdir(builds)
  const directory = join(builds, build, 'bundles')
  const entries = (await readdir(directory)).map(async (name): Promise<[string, number]> => {
    return [name, (await stat(join(directory, name))).mtimeMs]
  })
  return new Map(await Promise.all(entries))
}

it('lets 198 of 200 functions notice nothing when two are edited', async () => {
  // As many as a replica runs side by side without ending one for another.
  const watched = names.slice(0, 30)
  const edited = ['f3', 'f7']
  const askAll = async () =>
    new Map(await Promise.all(watched.map(async (name) => [name, await ask(name)] as const)))
  const [answers, written] = [await askAll(), await bundles()]
  expect(written.size).toBe(count)

  for (const name of edited) await project.write(`functions/${name}.ts`, counting(`${name} again`))
  const told = (): string[] =>
    server.events.flatMap(({ event, changed }) => (event === 'live' ? (changed as string[]) : []))
  await server.event(() => edited.every((name) => told().includes(name)))
  expect(told().toSorted()).toEqual(edited)

  const after = await askAll()
  for (const name of watched) {
    if (edited.includes(name)) {
      expect(after.get(name)).toMatchObject({ text: `${name} again` })
      expect(after.get(name)?.setup).not.toBe(answers.get(name)?.setup)
    } else expect(after.get(name)).toEqual(answers.get(name))
  }
  const untouched = [...(await bundles())].filter(([name]) => written.has(name))
  for (const [name, time] of untouched) expect(written.get(name)).toBe(time)
  expect((await bundles()).size - untouched.length).toBe(edited.length)
  expect(untouched.length).toBeGreaterThanOrEqual(count - edited.length)
})

async function ask(name: string): Promise<{ readonly text: string; readonly setup: string }> {
  const { status, json } = await server.call(`/${name}`)
  expect(status).toBe(200)
  return json
}
