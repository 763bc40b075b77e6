import { expect, it } from 'vitest'
import { createFolderShelf } from '../../../runtime/job/content/folder-shelf.ts'
import { removeLeftovers } from '../../../runtime/job/content/leftovers.ts'
import { listed, patternOf } from '../../contract/content-shelf.ts'
import { createScratch } from '../../model/scratch.ts'

it('removes what no row names, and nothing that is young', async () => {
  await using scratch = await createScratch()
  const shelf = createFolderShelf(scratch.path('jobs'))
  for (const key of ['a/named', 'a/left', 'b/left', 'c']) await shelf.put({ bytes: patternOf(1) }, key)
  const asked: string[] = []
  const findNamed = async (keys: readonly string[]): Promise<ReadonlySet<string>> => {
    asked.push(...keys)
    return new Set(['a/named', 'a/elsewhere'])
  }
  expect(await removeLeftovers(shelf, findNamed)).toBe(0)
  expect(asked).toEqual([])
  expect(await removeLeftovers(shelf, findNamed, -1_000)).toBe(3)
  expect(await listed(shelf, -1_000)).toEqual(['a/named'])
})

it('removes what a death has left half written', async () => {
  await using scratch = await createScratch()
  const source = new URL('../../../runtime/job/content/folder-shelf.ts', import.meta.url).pathname
  const code = `const { createFolderShelf } = await import(${JSON.stringify(source)})
    const shelf = createFolderShelf(${JSON.stringify(scratch.path('jobs'))})
    const bytes = new Uint8Array(1_000_000)
    for (let count = 0; ; count += 1) {
      await shelf.put({ bytes }, 'job/' + count)
      console.log(count)
    }`
  for (let round = 0; round < 5; round += 1) {
    const child = Bun.spawn([process.execPath, '-e', code], { stdout: 'pipe', stderr: 'inherit' })
    await child.stdout.getReader().read()
    child.kill('SIGKILL')
    await child.exited
  }
  const shelf = createFolderShelf(scratch.path('jobs'))
  for (const key of await listed(shelf, -1_000)) {
    // Whatever has the name of a put is whole.
    if (/^job\/\d+$/.test(key)) expect((await shelf.read(key, 0, 2_000_000)).length).toBe(1_000_000)
  }
  await removeLeftovers(shelf, async () => new Set(['job/0']), -1_000)
  expect(await scratch.list('jobs')).toEqual(['job/', 'job/0'])
})
