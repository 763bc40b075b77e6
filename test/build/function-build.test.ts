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
