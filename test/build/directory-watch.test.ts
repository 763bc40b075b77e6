import { mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectoryWatches } from '../../runtime/build/directory-watch.ts'

let root: string
let events: string[]
let watches: DirectoryWatches

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'isoplex-watch-')))
  events = []
  watches = new DirectoryWatches({
    onEvent: (path) => events.push(path),
    onError: (error) => {
      throw error
    },
  })
})

afterEach(async () => {
  watches[Symbol.dispose]()
  await rm(root, { recursive: true })
})

const at = (name: string) => join(root, name)
const flat = (name: string) => ({ directory: at(name), recursive: false })
const deep = (name: string) => ({ directory: at(name), recursive: true })
const expectEvent = (name: string) => expect.poll(() => events, { timeout: 5000 }).toContain(at(name))

describe('directory watches', () => {
  it('tell what happens in a folder, and below it where that is wanted', async () => {
    await mkdir(at('one/inner'), { recursive: true })
    await mkdir(at('two/inner'), { recursive: true })
    expect(await watches.watch([flat('one'), deep('two')])).toEqual([at('one'), at('two')])
    await writeFile(at('one/inner/a'), '')
    await writeFile(at('one/a'), '')
    await writeFile(at('two/inner/a'), '')
    await expectEvent('one/a')
    await expectEvent('two/inner/a')
    expect(events).not.toContain(at('one/inner/a'))
  })

  it('attach only what is not attached', async () => {
    await mkdir(at('one'))
    expect(await watches.watch([flat('one')])).toEqual([at('one')])
    expect(await watches.watch([flat('one')])).toEqual([])
  })

  it('attach a folder that was missing, and one that stands where another stood', async () => {
    expect(await watches.watch([flat('one')])).toEqual([])
    for (const name of ['first', 'second']) {
      await mkdir(at('one'))
      expect(await watches.watch([flat('one')])).toEqual([at('one')])
      await writeFile(at(`one/${name}`), '')
      await expectEvent(`one/${name}`)
      await rename(at('one'), at(name))
    }
    expect(await watches.watch([flat('one')])).toEqual([])
  })

  it('let go of folders that are no longer wanted', async () => {
    await mkdir(at('one'))
    await mkdir(at('two'))
    await watches.watch([flat('one'), flat('two')])
    expect(await watches.watch([flat('two')])).toEqual([])
    await writeFile(at('one/a'), '')
    await writeFile(at('two/a'), '')
    await expectEvent('two/a')
    expect(events).not.toContain(at('one/a'))
  })

  it('watch no file', async () => {
    await writeFile(at('file'), '')
    expect(await watches.watch([flat('file')])).toEqual([])
  })
})
