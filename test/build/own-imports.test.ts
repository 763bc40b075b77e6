import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { setUpScene } from './scene.ts'

const imports = { '#picture': { browser: './page.ts', default: './server.ts' } }
const files = {
  'functions/_picture/package.json': JSON.stringify({ type: 'module', imports }),
  'functions/_picture/show.ts': `import { picture } from '#picture'\nexport const show = () => picture\n`,
  'functions/_picture/server.ts': `export const picture = 'by the server'\n`,
  'functions/_picture/page.ts': `export const picture = 'by the page'\n`,
  'functions/a.ts': `import { defineFunction } from 'isoplex'
import { show } from './_picture/show.ts'
export default defineFunction({ access: 'public', runs: ['server', 'browser'], handler: show })
`,
}

describe('what a file imports by a name of its own package', () => {
  it('becomes a part of the bundle: one file for servers, another for browsers', async () => {
    const { builder, project } = await setUpScene(files)
    const { functions, broken } = await builder.build()
    expect(broken).toEqual([])
    const read = (name = '') => readFile(join(builder.bundlesDirectory, name), 'utf8')
    const server = await read(functions[0]?.bundle)
    expect(server).toContain('by the server')
    expect(server).not.toContain('by the page')
    const page = await read(functions[0]?.browser?.bundle)
    expect(page).toContain('by the page')
    expect(page).not.toContain('by the server')
    expect(functions[0]?.sources).toContain('functions/_picture/server.ts')
    await project.write({ 'functions/_picture/server.ts': `export const picture = 'by another'\n` })
    const rebuilt = await builder.build()
    expect(await read(rebuilt.functions[0]?.bundle)).toContain('by another')
  })

  it('is a mistake where the name stands for nothing', async () => {
    const { builder } = await setUpScene({
      ...files,
      'functions/_picture/show.ts': `import { picture } from '#other'\nexport const show = () => picture\n`,
    })
    const { broken } = await builder.build()
    expect(broken).toMatchObject([{ place: { file: 'functions/_picture/show.ts' } }])
  })
})
