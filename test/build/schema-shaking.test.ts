import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { giveOutModule } from '../../runtime/build/schema-shaking.ts'
import { setUpScene } from './scene.ts'

const typebox = fileURLToPath(
  new URL('../../node_modules/@sinclair/typebox/build/esm/type/type', import.meta.url),
)

describe('giveOutModule', () => {
  it('gives out what the installed TypeBox holds in a constant, the very same', async () => {
    const text = await readFile(`${typebox}/index.mjs`, 'utf8')
    const changed = giveOutModule(text)
    expect(changed).not.toBe(text)
    expect(changed).toContain(`export * as Type from './type.mjs';`)
    const { Type } = await import('@sinclair/typebox')
    const path = `${typebox}/type.mjs`
    const module = await import(path)
    expect(Object.keys(Type).toSorted()).toEqual(Object.keys(module).toSorted())
  })

  it('leaves any other text as it is', () => {
    for (const text of [
      '',
      `export const Type = {}`,
      `import * as TypeBuilder from './type.mjs';\nexport { Type };`,
    ])
      expect(giveOutModule(text)).toBe(text)
  })
})

describe('a bundle for browsers', () => {
  it('holds no constructors of schemas that it does not use, and all that it does', async () => {
    const { builder } = await setUpScene({
      'functions/a.ts': `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  runs: ['server', 'browser'],
  input: Type.Object({ names: Type.Array(Type.String({ maxLength: 3 })) }),
  handler: ({ input }) => input.names.length,
})
`,
    })
    const [fn] = (await builder.build()).functions
    const path = `${builder.bundlesDirectory}/${fn?.browser?.bundle}`
    const { default: definition } = await import(path)
    expect(definition.input.properties.names.items).toMatchObject({ type: 'string', maxLength: 3 })
    const bytes = Bun.gzipSync(await readFile(path))
    expect(bytes.length).toBeLessThan(6_000)
  })
})
