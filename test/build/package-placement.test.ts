import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { placePackages } from '../../runtime/build/package-placement.ts'

let directory: string

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'isoplex-placement-')))
})

afterEach(() => rm(directory, { recursive: true }))

/** Installs a package, with what it says of itself. */
async function install(path: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(join(directory, path), { recursive: true })
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  await writeFile(join(directory, path, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...facts }))
}

async function place(names: readonly string[], from = '', target = ''): Promise<readonly string[]> {
  const placed = await placePackages([{ from: join(directory, from), target, names }])
  return placed.map((each) => `${each.target} ${each.version}`)
}

describe('placePackages', () => {
  it('takes along what a package needs, and what that needs', async () => {
    await install('node_modules/a', { dependencies: { b: '1' } })
    await install('node_modules/b', { dependencies: { '@c/d': '1' } })
    await install('node_modules/@c/d', { dependencies: { a: '1' } })
    await install('node_modules/unused', {})
    expect(await place(['a'])).toEqual([
      'node_modules/@c/d 1.0.0',
      'node_modules/a 1.0.0',
      'node_modules/b 1.0.0',
    ])
  })

  it('gives each the version that it finds now', async () => {
    await install('node_modules/a', { dependencies: { b: '2' } })
    await install('node_modules/a/node_modules/b', { version: '2.0.0' })
    await install('node_modules/b', {})
    expect(await place(['b', 'a'])).toEqual([
      'node_modules/a 1.0.0',
      'node_modules/a/node_modules/b 2.0.0',
      'node_modules/b 1.0.0',
    ])
  })

  it('brings packages of another folder, such as a linked one, to where they are needed', async () => {
    await install('elsewhere/linked', { name: 'linked', dependencies: { b: '2' } })
    await install('elsewhere/node_modules/b', { version: '2.0.0' })
    await install('node_modules/b', {})
    await symlink(join(directory, 'elsewhere/linked'), join(directory, 'node_modules/linked'))
    expect(await place(['b', 'linked'])).toEqual([
      'node_modules/b 1.0.0',
      'node_modules/linked 1.0.0',
      'node_modules/linked/node_modules/b 2.0.0',
    ])
  })

  it('leaves out what is optional and not there, and names what is not there and needed', async () => {
    await install('node_modules/a', {
      optionalDependencies: { windows: '1' },
      dependencies: { windows: '1' },
    })
    expect(await place(['a'])).toEqual(['node_modules/a 1.0.0'])
    await expect(place(['absent'])).rejects.toThrow(/"absent" is needed/)
  })
})
