import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasNode, nodePath } from '../support/node.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

const functions = {
  'functions/hello/[name].ts': `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  params: Type.Object({ name: Type.String({ maxLength: 8 }) }),
  handler: ({ params }) => ({ message: 'Hello, ' + params.name }),
})
`,
  'functions/double.ts': `import { Type } from '@sinclair/typebox'
import { defineFunction, tensor, tensorOf } from 'isoplex'
const Thing = Type.Object({ x: tensorOf('float32', ['n']), note: Type.String() })
export default defineFunction({
  access: 'public',
  input: Thing,
  output: Thing,
  handler: ({ input: { x, note } }) => ({ x: tensor('float32', x.data.map((value) => 2 * value), x.dims), note }),
})
`,
  'functions/work.ts': `import { Type } from '@sinclair/typebox'
import { defineAction } from 'isoplex'
export default defineAction({
  access: 'public',
  params: Type.Object({ to: Type.Integer() }),
  result: Type.Object({ n: Type.Integer() }),
  async *execute({ params, files }) {
    await files.write('a.txt', 'text', { mediaType: 'text/plain' })
    for (let n = 1; n <= params.to; n += 1) yield { n }
  },
})
`,
  'functions/count.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  async *handler() {
    yield 1
    yield 2
    throw new Error('secret')
  },
})
`,
}

const program = `import { createClient, IsoplexError, isIsoplexError, Tensor, tensor } from 'isoplex/client'

const client = createClient({ baseUrl: process.argv[2] })
const codeOf = (error) => [isIsoplexError(error), error instanceof IsoplexError, error.code, error.requestId?.length]
const told = { version: process.versions.bun ?? 'node' }

told.call = (await client['hello/[name]'].call({ params: { name: 'Ada' } })).output
told.error = await client['hello/[name]'].call({ params: { name: 'Ada Lovelace' } }).catch(codeOf)
const input = { x: tensor('float32', Float32Array.of(1, NaN), [2]), note: 'a' }
const { x, note } = (await client.double.call({ input })).output
told.tensor = [x instanceof Tensor, x.type, x.dims, x.toArray().map(String), note]
told.items = []
try {
  for await (const item of (await client.count.call()).output) told.items.push(item)
} catch (error) {
  told.ended = codeOf(error)
}
const job = await client.work.submit({ to: 2 })
told.job = { events: new Set(), results: [], file: null }
for await (const { kind } of job.events()) told.job.events.add(kind)
for await (const result of job.results()) told.job.results.push(result)
told.job = { ...told.job, events: told.job.events.has('state'), file: (await job.file('a.txt')).mediaType }
const gone = createClient({ baseUrl: 'http://127.0.0.1:1', retries: 0 })
told.gone = await gone.hello.call().catch((error) => [error.code, error.details.reason])
console.log(JSON.stringify(told))
`

const typedProgram = `import { createClient, tensor } from 'isoplex/client'
import type { Routes } from './routes.d.ts'

const client = createClient<Routes>({ baseUrl: '/' })
const { output } = await client.double.call({ input: { x: tensor('float32', Float32Array.of(1), [1]), note: 'a' } })
export const note: string = output.note
const job = await client.work.submit({ to: 1 })
export const n: number = (await job.result()).n
// @ts-expect-error The parameter is a number.
void client.work.submit({ to: 'two' })
// @ts-expect-error It is a text.
export const wrong: number = output.note
`

/** What a project says that was made for a browser of some years ago. */
const ownRules = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
  },
  files: ['program.ts'],
}

let folder: string
let project: TestProject
let server: TestServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoplex-package-'))
  project = await makeProject(functions)
  server = await startServer(project)
  const pack = [process.execPath, 'pm', 'pack', '--quiet', '--destination', folder]
  await run(pack, repository)
  await mkdir(join(folder, 'node_modules/isoplex'), { recursive: true })
  const archive = [...new Bun.Glob('*.tgz').scanSync(folder)][0] ?? ''
  await run(['tar', '-xzf', archive, '-C', 'node_modules/isoplex', '--strip-components=1'], folder)
  await writeFile(join(folder, 'program.mjs'), program)
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Runs a command to its end and gives what it printed. */
async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')} failed:\n${stderr}`)
  return stdout
}

const outcome = {
  call: { message: 'Hello, Ada' },
  error: [true, true, 'INPUT_INVALID', 32],
  tensor: [true, 'float32', [2], ['2', 'NaN'], 'a'],
  items: [1, 2],
  ended: [true, true, 'INTERNAL', 32],
  job: { events: true, results: [{ n: 1 }, { n: 2 }], file: 'text/plain' },
  gone: ['FETCH_FAILED', 'connection'],
}

describe.runIf(hasNode)('the package, unpacked beside nothing else', () => {
  it('is a client in Node', async () => {
    const told = await run([nodePath ?? '', 'program.mjs', server.url], folder)
    expect(JSON.parse(told)).toEqual({ version: 'node', ...outcome })
  })

  it('is typed, also for projects whose rules its sources do not follow', async () => {
    await mkdir(join(folder, 'functions'))
    await symlink(join(repository, 'node_modules/@sinclair'), join(folder, 'node_modules/@sinclair'))
    const members: string[] = []
    for (const name of ['double', 'work'] as const) {
      await writeFile(join(folder, `functions/${name}.ts`), functions[`functions/${name}.ts`])
      members.push(`readonly ${name}: typeof import("./functions/${name}.ts").default`)
    }
    await writeFile(join(folder, 'routes.d.ts'), `export interface Routes { ${members.join('; ')} }\n`)
    await writeFile(join(folder, 'program.ts'), typedProgram)
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(ownRules))
    await run([nodePath ?? '', join(repository, 'node_modules/typescript/bin/tsc'), '--project', '.'], folder)
  })

  it('is a client in Bun, from its sources', async () => {
    const told = await run([process.execPath, 'program.mjs', server.url], folder)
    expect(JSON.parse(told)).toEqual({ version: process.versions.bun, ...outcome })
  })
})
