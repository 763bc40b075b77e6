import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renderRoutesTypes, writeRoutesTypes } from '../../runtime/build/routes-types.ts'
import { sampleFunction } from './manifest-samples.ts'
import { createProject } from './project.ts'

const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url))
const settings = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))

const greeting = `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  params: Type.Object({ name: Type.String() }),
  output: Type.Object({ message: Type.String() }),
  handler: ({ params }) => ({ message: params.name }),
})
`

const action = `import { Type } from '@sinclair/typebox'
import { defineAction } from 'isoplex'

export default defineAction({
  params: Type.Object({ count: Type.Integer() }),
  result: Type.Object({ mean: Type.Number() }),
  execute: ({ params }) => ({ mean: params.count }),
})
`

const use = `import type { Routes } from '../.isoplex/routes.d.ts'

type Types<Name extends keyof Routes> = NonNullable<Routes[Name]['types']>

export const params: Types<'hello/[name]'>['params'] = { name: 'Ada' }
// @ts-expect-error the path parameter is a text
export const wrong: Types<'hello/[name]'>['params'] = { name: 5 }
export const input: Types<'measure'>['input'] = { count: 5 }
export const output: Types<'measure'>['output'] = { mean: 5 }
// @ts-expect-error the parameters of an action are typed
export const none: Types<'measure'>['input'] = {}
// @ts-expect-error there is no such function
export type None = Routes['goodbye']
`

describe('routes.d.ts', () => {
  it('names each function with the type of its default export', () => {
    const manifest = { functions: [sampleFunction('a'), sampleFunction("it's/[name]")], broken: [] }
    expect(renderRoutesTypes(manifest, (file) => `../${file}`)).toBe(`// Written by isoplex at each build.

/** The functions of this project by their names. */
export interface Routes {
  readonly "a": typeof import("../functions/a.ts").default
  readonly "it's/[name]": typeof import("../functions/it's/[name].ts").default
}
`)
  })

  it('types what uses it under the settings of this repository', { timeout: 60_000 }, async () => {
    await using project = await createProject({
      'functions/hello/[name].ts': greeting,
      'functions/measure.ts': action,
      'test/use.ts': use,
      'tsconfig.json': JSON.stringify({
        extends: settings,
        compilerOptions: { types: [] },
        include: ['functions', 'test'],
      }),
    })
    const manifest = { functions: [sampleFunction('hello/[name]'), sampleFunction('measure')], broken: [] }
    await writeRoutesTypes(manifest, { projectDirectory: project.directory })
    const { exitCode, stdout } = Bun.spawnSync([process.execPath, tsc, '--noEmit', '-p', project.directory])
    expect(
      stdout
        .toString()
        .split('\n')
        .filter((line) => line.includes(project.directory)),
    ).toEqual([])
    expect([stdout.toString(), exitCode]).toEqual(['', 0])
  })

  it('is rewritten only where it says something else', async () => {
    await using project = await createProject()
    const path = join(project.directory, '.isoplex/routes.d.ts')
    const write = (...names: readonly string[]) =>
      writeRoutesTypes(
        { functions: names.map((name) => sampleFunction(name)), broken: [] },
        { projectDirectory: project.directory },
      )
    await write('a')
    const first = await stat(path)
    await write('a')
    expect((await stat(path)).ino).toBe(first.ino)
    await write('a', 'b')
    expect(await readFile(path, 'utf8')).toContain('"b"')
  })
})
