import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { saying } from '../support/function-files.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

/** A function that says what a helper holds. */
const repeating = `import { defineFunction } from 'isoplex'
import { word } from './_lib/word.ts'
export default defineFunction({ access: 'public', handler: () => ({ text: word }) })
`

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeProject({
    'functions/hello.ts': saying('hello'),
    'functions/left.ts': repeating,
    'functions/right.ts': repeating,
    'functions/_lib/word.ts': `export const word = 'first'\n`,
    'functions/outer.ts': repeating.replace('./_lib', '../src'),
    'src/word.ts': `export const word = 'outside'\n`,
  })
  server = await startServer(project, 'dev')
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

/** What a function says; the status where it is not 200. */
async function ask(path: string): Promise<unknown> {
  const { status, json } = await server.call(path)
  return status === 200 ? json.text : status
}

/** Does something, and waits until an event of it is told. */
async function upon(
  event: string,
  facts: Readonly<Record<string, unknown>>,
  change: () => Promise<unknown>,
): Promise<Readonly<Record<string, unknown>>> {
  const before = server.events.length
  await change()
  return await server.event((told) => {
    if (server.events.indexOf(told) < before || told.event !== event) return false
    return Object.entries(facts).every(([name, value]) => Bun.deepEquals(told[name], value))
  })
}

describe('isoplex dev', () => {
  it('serves a new file, a changed one and no deleted one, without a restart', async () => {
    await upon('live', { added: ['fresh'] }, () => project.write('functions/fresh.ts', saying('one')))
    expect(await ask('/fresh')).toBe('one')
    await upon('live', { changed: ['fresh'] }, () => project.write('functions/fresh.ts', saying('two')))
    expect(await ask('/fresh')).toBe('two')
    await upon('live', { removed: ['fresh'] }, () => rm(join(project.directory, 'functions/fresh.ts')))
    expect(await ask('/fresh')).toBe(404)
    expect(await ask('/hello')).toBe('hello')
  })

  it('serves all functions by a helper that has changed', async () => {
    expect(await ask('/left')).toBe('first')
    await upon('live', { changed: ['left', 'right'] }, () =>
      project.write('functions/_lib/word.ts', `export const word = 'second'\n`),
    )
    expect(await ask('/left')).toBe('second')
    expect(await ask('/right')).toBe('second')
  })

  it('follows helpers outside the functions folder, from the start and later ones', async () => {
    expect(await ask('/outer')).toBe('outside')
    await project.write('shared/word.ts', `export const word = 'further'\n`)
    await upon('live', { changed: ['outer'] }, () =>
      project.write('src/word.ts', `export { word } from '../shared/word.ts'\n`),
    )
    expect(await ask('/outer')).toBe('further')
    await upon('live', { changed: ['outer'] }, () =>
      project.write('shared/word.ts', `export const word = 'furthest'\n`),
    )
    expect(await ask('/outer')).toBe('furthest')
  })

  it('lists the functions for the editor as they come and go', async () => {
    const types = (): Promise<string> => readFile(join(project.directory, '.isoplex/routes.d.ts'), 'utf8')
    await upon('live', { added: ['typed'] }, () => project.write('functions/typed.ts', saying('typed')))
    expect(await types()).toContain(`readonly "typed": typeof import("../functions/typed.ts").default`)
    await upon('live', { removed: ['typed'] }, () => rm(join(project.directory, 'functions/typed.ts')))
    expect(await types()).not.toContain('typed.ts')
  })

  describe.each<[mistake: string, content: string, line: number | null, reason: RegExp]>([
    ['a mistake of syntax', `const a = 1\nconst b = = 2\n${saying('new')}`, 2, /./],
    ['an import of nothing', `import './nowhere.ts'\n${saying('new')}`, 1, /nowhere/],
    ['a package that is not there', `import 'no-such-package'\n${saying('new')}`, 1, /no-such-package/],
    ['an error at import', `${saying('new')}\nthrow new Error('Not today.')\n`, 4, /^Not today\.$/],
    ['a wrong default export', `\nexport default { handler: () => 1 }\n`, 2, /default export/],
    ['no default export', `export const a = 1\n`, null, /default export/],
    [
      'a schema that JSON cannot carry',
      `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({ input: Type.Object({ when: Type.Date() }), handler: () => 1 })
`,
      3,
      /input.*when/,
    ],
  ])('with %s in a file', (_, content, line, reason) => {
    const file = 'functions/hello.ts'

    it('goes on with the last good version, says file, line and reason, and serves the mended one', async () => {
      const good = String(await ask('/hello'))
      const told = await upon('broken', { file, served: true }, () => project.write(file, content))
      expect(told.place).toMatchObject({ file, line })
      expect(told.reason).toMatch(reason)
      expect(await ask('/hello')).toBe(good)
      expect((await server.call('/readyz')).json).toMatchObject({ ready: true, broken: [file] })
      const next = `${good}!`
      await upon('live', { changed: ['hello'], mended: [file] }, () => project.write(file, saying(next)))
      expect(await ask('/hello')).toBe(next)
      expect((await server.call('/readyz')).json.broken).toEqual([])
    })
  })

  it('names the helper in which a mistake is, and what it breaks', async () => {
    const before = server.events.length
    await upon('broken', { file: 'functions/right.ts', served: true }, () =>
      project.write('functions/_lib/word.ts', `export const word = 'third'\nnull.nothing\n`),
    )
    const broken = server.events.slice(before).filter(({ event }) => event === 'broken')
    const place = expect.objectContaining({ file: 'functions/_lib/word.ts', line: 2 })
    expect(broken).toEqual([
      expect.objectContaining({ file: 'functions/left.ts', place }),
      expect.objectContaining({ file: 'functions/right.ts', place }),
    ])
    expect(await ask('/left')).toBe('second')
    await upon('live', { mended: ['functions/left.ts', 'functions/right.ts'] }, () =>
      project.write('functions/_lib/word.ts', `export const word = 'fourth'\n`),
    )
    expect(await ask('/left')).toBe('fourth')
  })

  it('serves the first of two files for one route, names both, and serves the other once it can', async () => {
    const first = await ask('/hello')
    const told = await upon('broken', { file: 'functions/hello/index.ts', served: false }, () =>
      project.write('functions/hello/index.ts', saying('the other')),
    )
    expect(told.reason).toMatch(/functions\/hello\.ts/)
    expect(told.reason).toMatch(/functions\/hello\/index\.ts/)
    expect(await ask('/hello')).toBe(first)
    expect(await ask('/left')).toBe('fourth')
    await upon('live', { mended: ['functions/hello/index.ts'] }, () =>
      rm(join(project.directory, 'functions/hello.ts')),
    )
    expect(await ask('/hello')).toBe('the other')
  })

  it('starts without functions, says so, and serves the first one', async () => {
    await using empty = await makeProject()
    await using other = await startServer(empty, 'dev')
    expect(await other.event(({ event }) => event === 'listening')).toMatchObject({
      functions: [],
      example: null,
    })
    await empty.write('functions/hello.ts', saying('hello'))
    await other.event(({ event, added }) => event === 'live' && Bun.deepEquals(added, ['hello']))
    expect((await other.call('/hello')).json).toEqual({ text: 'hello' })
  })
})
