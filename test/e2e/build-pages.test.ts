import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashFile } from '../../runtime/build/content-hash.ts'
import { hashOfFileName } from '../../runtime/build/page/file-name.ts'
import { compressedDirectoryOf, pageDirectoryOf } from '../../runtime/entry/page-source.ts'
import type { PageIndex } from '../../runtime/server/page/page-index.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { makeProject, startServer, type TestProject } from '../support/server.ts'

const greeting = `import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', runs: ['server', 'browser'], handler: () => 'good day' })
`
const hidden = `import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => 'on the server' })
`

/** What a page does to call the function in its own worker; as text, since it is for the page as it stands. */
const callGreet = `(async () => {
  const { createClient, webEngine } = await import('/-/browser/client.js')
  const client = createClient({ baseUrl: location.origin, local: webEngine() })
  const { output, ran } = await client.greet.call({ where: 'browser' })
  return { output, where: ran.where }
})()`

/** Compresses quickly what a build would take a minute for: it takes what it finds in the project's folder. */
async function compressQuickly(source: string, target: string): Promise<void> {
  const bytes = await readFile(source)
  await Bun.write(`${target}.gz`, gzipSync(bytes, { level: 1 }))
  await Bun.write(
    `${target}.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  )
}

describe('isoplex build of functions that run in browsers', () => {
  let project: TestProject
  let copy: TestProject
  let browser: string
  let index: PageIndex

  beforeAll(async () => {
    project = await makeProject({ 'functions/greet.ts': greeting, 'functions/hidden.ts': hidden })
    browser = join(project.directory, 'dist/browser')
    expect(await project.run('build', '--no-compress')).toMatchObject({ code: 0, stderr: '' })
    index = JSON.parse(await readFile(join(browser, 'index.json'), 'utf8'))
    const compressed = compressedDirectoryOf(pageDirectoryOf(join(project.directory, '.isoplex')))
    for (const name of index.files) await compressQuickly(join(browser, name), join(compressed, name))
    copy = await makeProject()
  })
  afterAll(async () => {
    await project[Symbol.asyncDispose]()
    await copy[Symbol.asyncDispose]()
  })

  it('writes a folder of files that are named after their content', async () => {
    expect(index.functions).toEqual({ greet: { bundle: expect.any(String), hasModel: false } })
    expect((await readdir(browser)).toSorted()).toEqual(
      [...index.files, 'client.js', 'index.json'].toSorted(),
    )
    for (const name of index.files) expect(await hashFile(join(browser, name))).toBe(hashOfFileName(name))
    const bundles = await readdir(join(project.directory, 'dist/bundles'))
    expect(bundles.filter((name) => name.includes('browser'))).toEqual([])
  })

  it('writes the same again, and compressed forms beside the files where they are wished', async () => {
    const run = await project.run('build', '--json')
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(run.stdout)).toMatchObject({ browser: ['greet'] })
    expect(JSON.parse(await readFile(join(browser, 'index.json'), 'utf8'))).toEqual(index)
    const names = await readdir(browser)
    for (const name of [...index.files, 'client.js']) {
      const bytes = await readFile(join(browser, name))
      if (!names.includes(`${name}.br`)) continue
      expect(brotliDecompressSync(await readFile(join(browser, `${name}.br`))).equals(bytes)).toBe(true)
      expect(gunzipSync(await readFile(join(browser, `${name}.gz`))).equals(bytes)).toBe(true)
    }
    expect(names).toContain(`${index.onnx.webgpu.wasm}.br`)
    expect(names).toContain('client.js.br')
  })

  describe('and isoplex serve --build', () => {
    beforeAll(() => cp(join(project.directory, 'dist'), join(copy.directory, 'dist'), { recursive: true }))

    it('serve the folder as it stands, compressed where it is', async () => {
      await using server = await startServer(copy, 'serve', ['--build', 'dist', '--replicas', '1'])
      expect((await server.call('/-/browser/index.json')).json).toEqual(index)
      const { wasm } = index.onnx.wasm
      const reply = await fetch(`${server.url}/-/browser/${wasm}`, {
        headers: { 'accept-encoding': 'gzip;q=0.5, br' },
        decompress: false,
      })
      expect(reply.headers.get('content-encoding')).toBe('br')
      expect(reply.headers.get('content-type')).toBe('application/wasm')
      const bytes = brotliDecompressSync(Buffer.from(await reply.arrayBuffer()))
      expect(bytes.equals(await readFile(join(browser, wasm)))).toBe(true)
      expect((await server.call('/-/playground')).status).toBe(404)
      expect(await readdir(join(copy.directory, '.isoplex'))).not.toContain('page')
    })

    it.runIf(hasChromium)('run the function in a page', async () => {
      await using server = await startServer(copy, 'serve', [
        ...['--build', 'dist', '--replicas', '1'],
        '--playground',
      ])
      const chromium = await launchChromium()
      try {
        const page = await chromium.newPage()
        await page.goto(`${server.url}/-/playground`)
        expect(await page.evaluate(callGreet)).toEqual({ output: 'good day', where: 'browser' })
      } finally {
        await chromium.close()
      }
    })

    it('refuse a folder of which a file was changed or is missing', async () => {
      const damaged = join(copy.directory, 'damaged')
      await cp(join(copy.directory, 'dist'), damaged, { recursive: true })
      await writeFile(join(damaged, 'browser', index.worker), 'changed')
      const changed = await copy.run('serve', '--build', 'damaged', '--port', '0')
      expect(changed).toMatchObject({ code: 1, stdout: '' })
      expect(changed.stderr).toMatch(/worker-\w+\.js is not of a whole build .*changed or cut short/)
      await rm(join(damaged, 'browser'), { recursive: true })
      const missing = await copy.run('serve', '--build', 'damaged', '--port', '0', '--json')
      expect(JSON.parse(missing.stderr).error).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/index\.json is not of a whole build/),
      })
    })
  })

  it('writes no folder for pages where no function runs in them, and removes the one that was', async () => {
    await project.write('functions/greet.ts', hidden)
    expect(await project.run('build')).toMatchObject({ code: 0, stderr: '' })
    expect(await readdir(browser).catch(() => [])).toEqual([])
    await project.write('functions/greet.ts', greeting)
  })

  it('is refused while a function imports what only a server has', async () => {
    await project.write('functions/greet.ts', `import { cpus } from 'node:os'\n${greeting}export { cpus }\n`)
    const { code, stderr } = await project.run('build')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /functions\/greet\.ts:1:\d+: It cannot run in a browser: functions\/greet\.ts > node:os,/,
    )
  })
})
