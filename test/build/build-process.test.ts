import { openSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Attempt, BuildProcess } from '../../runtime/build/build-process.ts'
import { constantFunction, createProject, type TestProject } from './project.ts'
import { linesOf, setUpScene } from './scene.ts'

const order = { file: 'functions/a.ts', functionFile: 'a.ts', known: [] }
const manifest = { name: 'a' }
const mistake = { place: { file: 'functions/a.ts', line: 1, column: 2 }, reason: 'broke' }

let project: TestProject
let child: BuildProcess | undefined

beforeEach(async () => {
  project = await createProject()
})

afterEach(async () => {
  await child?.end()
  child = undefined
  await project[Symbol.asyncDispose]()
})

/** Starts a process that answers each order by running a script. */
async function start(script: string): Promise<BuildProcess> {
  await project.write({
    'entry.ts': `process.on('message', (order) => { ${script} })\nprocess.send({ kind: 'ready' })\n`,
  })
  child = new BuildProcess({
    directories: {
      projectDirectory: project.directory,
      functionsDirectory: join(project.directory, 'functions'),
      bundlesDirectory: join(project.directory, '.isoplex/bundles'),
    },
    entryPath: join(project.directory, 'entry.ts'),
    environment: {},
    importTimeoutMs: 1000,
    mode: 'production',
    outputDescriptor: openSync(join(project.directory, 'printed.txt'), 'a'),
  })
  return child
}

const send = (report: unknown) => `process.send(${JSON.stringify(report)});`
const bundled = send({ kind: 'bundled', sources: { 'functions/a.ts': 'hash' } })
const sources = { 'functions/a.ts': 'hash' }

describe('an attempt', () => {
  it.each<[title: string, script: string, attempt: unknown]>([
    [
      'gives the manifest and the sources',
      bundled + send({ kind: 'described', manifest }),
      { kind: 'described', manifest, sources },
    ],
    [
      'gives the mistake',
      bundled + send({ kind: 'broken', mistake, again: true }),
      { kind: 'broken', mistake, again: true, sources },
    ],
    [
      'ended by a crash gives its reason',
      `${bundled + send({ kind: 'crashed', mistake })} process.exit(1)`,
      { kind: 'ended', mistake, sources },
    ],
    [
      'ended without a word tells the exit code',
      'process.exit(7)',
      {
        kind: 'ended',
        sources: null,
        mistake: expect.objectContaining({ reason: expect.stringContaining('(exit code 7)') }),
      },
    ],
    [
      'ended by a signal tells which',
      `process.kill(process.pid, 'SIGSEGV')`,
      {
        kind: 'ended',
        sources: null,
        mistake: expect.objectContaining({ reason: expect.stringContaining('(SIGSEGV)') }),
      },
    ],
    [
      'that takes too long is ended',
      `${bundled} for (;;) {}`,
      {
        kind: 'ended',
        sources,
        mistake: expect.objectContaining({ reason: expect.stringContaining('within 1000 ms') }),
      },
    ],
  ])('%s', async (_, script, attempt) => {
    const child = await start(script)
    expect(await child.attempt(order)).toEqual(attempt as Attempt)
    expect(child.orders).toBe(1)
  })

  it('gives to each order the outcome that came for it', async () => {
    const child = await start(`process.send({ kind: 'described', manifest: { name: order.file } })`)
    for (const file of ['functions/a.ts', 'functions/b.ts']) {
      expect(await child.attempt({ ...order, file })).toMatchObject({ manifest: { name: file } })
    }
  })

  it('of a process that has ended already is ended too', async () => {
    const child = await start('process.exit(0)')
    await child.attempt(order)
    await expect(child.attempt(order)).resolves.toMatchObject({ kind: 'ended' })
  })
})

describe('the build process', () => {
  it('sees the environment that it is given and no .env file', async () => {
    const { builder, printed } = await setUpScene(
      {
        'functions/a.ts': `${constantFunction('a')}console.log(JSON.stringify(process.env))\n`,
        '.env': 'SIGNING_KEY=secret\n',
      },
      { environment: { GREETING: 'hello' } },
    )
    await builder.build()
    expect(JSON.parse(printed())).toEqual({ GREETING: 'hello' })
  })

  it('is not confused by what functions print, send or do to it', async () => {
    const { builder, printed } = await setUpScene({
      'functions/a.ts': `${constantFunction('a')}
console.log('{"kind":"described","manifest":{}}')
console.error('{"kind":"ready"}')
process.send?.({ kind: 'broken' })
process.chdir('/')
`,
      'functions/b.ts': constantFunction('b'),
    })
    const manifest = await builder.build()
    expect(manifest.broken).toEqual([])
    expect(manifest.functions.map(({ sources }) => sources)).toEqual([['functions/a.ts'], ['functions/b.ts']])
    expect(linesOf(printed())).toHaveLength(2)
  })

  it('that cannot start fails the build, and the next may succeed', async () => {
    const { project, builder } = await setUpScene(
      { 'functions/a.ts': constantFunction('a') },
      { entryPath: '/no/such/entry.ts' },
    )
    await expect(builder.build()).rejects.toMatchObject({ code: 'BUILD_FAILED' })
    await expect(builder.build()).rejects.toMatchObject({ code: 'BUILD_FAILED' })
    expect((await project.builder().build()).functions).toHaveLength(1)
  })
})
