import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { ownerOf, tryOwn } from '../../runtime/job/store-owner.ts'
import { createScratch } from '../model/scratch.ts'

const source = new URL('../../runtime/job/store-owner.ts', import.meta.url).pathname

it('lets one own a store at a time, and says who it is', async () => {
  await using scratch = await createScratch()
  const path = scratch.path('owner')
  expect(ownerOf(path)).toBeNull()
  for (let round = 0; round < 3; round += 1) {
    const owned = tryOwn(path)
    expect(owned).not.toBeNull()
    expect(tryOwn(path)).toBeNull()
    expect(ownerOf(path)).toBe(process.pid)
    owned?.[Symbol.dispose]()
    expect(ownerOf(path)).toBeNull()
  }
  expect(await readdir(scratch.directory)).toEqual(['owner'])
})

it('is owned against other processes, and free as soon as the owner is killed', async () => {
  await using scratch = await createScratch()
  const path = scratch.path('owner')
  const code = `const { tryOwn } = await import(${JSON.stringify(source)})
    globalThis.owned = tryOwn(${JSON.stringify(path)})
    console.log(owned === null ? 'refused' : 'owned')
    setInterval(() => {}, 1e6)`
  const child = Bun.spawn([process.execPath, '-e', code], { stdout: 'pipe', stderr: 'inherit' })
  const said = await child.stdout.getReader().read()
  expect(new TextDecoder().decode(said.value)).toBe('owned\n')
  expect(tryOwn(path)).toBeNull()
  expect(ownerOf(path)).toBe(child.pid)
  child.kill('SIGKILL')
  await child.exited
  using owned = tryOwn(path)
  expect(owned).not.toBeNull()
  expect(ownerOf(path)).toBe(process.pid)
})
