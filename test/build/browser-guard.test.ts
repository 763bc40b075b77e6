import { describe, expect, it } from 'vitest'
import { setUpScene } from './scene.ts'

const packageFile = (facts: object): string => JSON.stringify({ name: 'deep', main: './index.js', ...facts })

/** Builds a function that runs in browsers and imports a helper, which imports `deep`. */
async function build(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { builder } = await setUpScene({
    'functions/a.ts': `import { defineFunction } from 'isoplex'
import { help } from './_help.ts'
export default defineFunction({ access: 'public', runs: ['server', 'browser'], handler: () => help })
`,
    'functions/_help.ts': `import deep from 'deep'\nexport const help = deep\n`,
    'node_modules/deep/package.json': packageFile({}),
    ...files,
  })
  const { broken } = await builder.build()
  return broken.map(({ place, reason }) => `${place.file}:${place.line}: ${reason}`)
}

describe('a build for browsers', () => {
  it.each<[what: string, code: string, module: string]>([
    ['a module of Node', `module.exports = require('node:net')`, 'node:net'],
    ['a module of Node under its short name', `exports.a = require('fs/promises')`, 'fs/promises'],
    ['a module of Bun', `exports.a = () => import('bun:sqlite')`, 'bun:sqlite'],
    ['Bun', `exports.a = () => import('bun')`, 'bun'],
    ['a native library', `exports.a = () => require('./fast.node')`, './fast.node'],
    ['the engine of servers', `exports.a = () => import('onnxruntime-node')`, 'onnxruntime-node'],
    ['a module in a branch that is not taken', `if (!globalThis.window) require('dns')`, 'dns'],
  ])('refuses %s and names the way to it', async (_, code, module) => {
    expect(await build({ 'node_modules/deep/index.js': `${code}\n` })).toEqual([
      expect.stringMatching(
        `^functions/_help\\.ts:1: It cannot run in a browser: functions/a\\.ts > functions/_help\\.ts > deep > ${RegExp.escape(module)}, `,
      ),
    ])
  })

  it('takes what a package names in place of a module', async () => {
    const files = {
      'node_modules/deep/package.json': packageFile({ browser: { fs: false, './read.js': './fetch.js' } }),
      'node_modules/deep/index.js': `exports.a = [require('fs'), require('./read.js')]\n`,
      'node_modules/deep/read.js': `module.exports = require('net')\n`,
      'node_modules/deep/fetch.js': `module.exports = 1\n`,
    }
    expect(await build(files)).toEqual([])
  })

  it('takes an installed package that has the name of a module of Node, and only where it is meant', async () => {
    const files = {
      'node_modules/deep/index.js': `module.exports = require('events')\n`,
      'node_modules/events/package.json': JSON.stringify({ name: 'events', main: './events.js' }),
      'node_modules/events/events.js': `module.exports = 'of the package'\n`,
    }
    expect(await build(files)).toEqual([])
    const explicit = { ...files, 'node_modules/deep/index.js': `module.exports = require('node:events')\n` }
    expect(await build(explicit)).toEqual([
      expect.stringContaining('deep > node:events, which only a server has'),
    ])
  })

  it('takes types and imports that nothing uses', async () => {
    const help = `import type { Stats } from 'node:fs'\nimport { join } from 'node:path'\nexport const help: Stats | null = null\n`
    expect(await build({ 'functions/_help.ts': help })).toEqual([])
  })
})
