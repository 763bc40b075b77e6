import { openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../../runtime/build/function-build.ts'
import type { BrokenFunction } from '../../runtime/build/manifest.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { brokenCases } from './broken.ts'
import { constantFunction, createProject } from './project.ts'
import { filesOf, setUpScene } from './scene.ts'

function formatPlace({ place }: BrokenFunction): string {
  return [place.file, place.line ?? '-', place.column ?? '-'].join(':')
}

describe('a function file that', () => {
  it.concurrent.each(brokenCases.map((each) => [each.title, each] as const))(
    '%s breaks only itself',
    async (_, { files, place, reason }) => {
      await using project = await createProject({
        ...files,
        'functions/before.ts': constantFunction('before'),
        'functions/later.ts': constantFunction('later'),
      })
      const outputDescriptor = openSync(join(project.directory, 'printed.txt'), 'a')
      const manifest = await project.builder({ importTimeoutMs: 2500, outputDescriptor }).build()
      expect(filesOf(manifest)).toEqual(['functions/before.ts', 'functions/later.ts'])
      expect(manifest.broken).toHaveLength(1)
      const [broken] = manifest.broken
      expect(broken && formatPlace(broken)).toBe(place)
      expect(broken?.reason).toMatch(reason)
      expect(broken).toMatchObject({ file: 'functions/broken.ts', served: false })
    },
  )

  it('ends the process late does not break the file that is built then', async () => {
    const { builder } = await setUpScene({
      'functions/a.ts': `${constantFunction('a')}setTimeout(() => process.abort(), 0)\n`,
      'functions/b.ts': `${constantFunction('b')}await new Promise((resolve) => setTimeout(resolve, 300))\n`,
    })
    const { functions, broken } = await builder.build()
    expect(functions.map(({ name }) => name)).toContain('b')
    expect(broken.map(({ file }) => file)).not.toContain('functions/b.ts')
  })
})

describe('an action', () => {
  const action = (options: string): string => `import { Type } from '@sinclair/typebox'
import { defineAction, modelId } from 'isoplex'

export default defineAction({
  params: Type.Object({ modelId: modelId() }),
  ${options}
})
`

  it('may be the only function of a project', async () => {
    await using project = await createProject({ 'functions/evaluate.ts': action('execute: () => 1,') })
    const { functions, broken } = await project.builder().build()
    expect(broken).toEqual([])
    expect(functions).toMatchObject([{ name: 'evaluate', kind: 'action', path: '/evaluate' }])
  })

  it.each([
    ['functions/[id].js', 'execute: () => 1,', /the path parameter "id"/],
    ['functions/a.js', "execute: () => 1, runs: ['browser'],", /"runs" of an action/],
    ['functions/a.js', 'execute: () => 1, category: 5,', /"category" must be a text/],
    ['functions/a.js', '', /either "execute" or "steps"/],
    ['functions/a.js', 'execute: () => 1, steps: [],', /either "execute" or "steps"/],
    ['functions/a.js', 'execute: 5,', /"execute" must be a function/],
    ['functions/a.js', 'execute: () => 1, timeoutMs: -1,', /"timeoutMs" must be above 0/],
    ['functions/a.js', 'execute: () => 1, progress: { a: -1 },', /"progress.a" must be a number from 0/],
  ])('in %s with "%s" is refused by name, where it stands', async (file, options, reason) => {
    await using project = await createProject({ [file]: action(options) })
    const { functions, broken } = await project.builder().build()
    expect(functions).toEqual([])
    expect(broken).toMatchObject([{ file, place: { file, line: 4 }, served: false }])
    expect(broken[0]?.reason).toMatch(reason)
  })
})

describe('messageOf', () => {
  it.each<[error: unknown, message: string]>([
    [new Error('plain'), 'plain'],
    [new RangeError('too far'), 'RangeError: too far'],
    [new IsoplexError('INTERNAL', 'ours'), 'ours'],
    [Object.assign(new Error('x'), { message: 5 }), '5'],
    ['text', 'It threw "text", which is no error.'],
    [undefined, 'It threw undefined, which is no error.'],
  ])('of %o is "%s"', (error, message) => {
    expect(messageOf(error)).toBe(message)
  })
})
