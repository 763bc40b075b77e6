import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { withFileLock } from '../../runtime/model/file-lock.ts'
import { createScratch } from './scratch.ts'

const source = new URL('../../runtime/model/file-lock.ts', import.meta.url).pathname

it('lets one work at a time, and the next after a failure too', async () => {
  await using scratch = await createScratch()
  const lock = scratch.path('lock')
  let running = 0
  const work = async (): Promise<number> => {
    running += 1
    await Bun.sleep(1)
    const seen = running
    running -= 1
    if (seen === 1) return seen
    throw new Error('two at once')
  }
  await expect(withFileLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await Promise.all([1, 2, 3, 4].map(() => withFileLock(lock, work)))).toEqual([1, 1, 1, 1])
  expect(await readdir(scratch.directory)).toEqual(['lock'])
})

it('is held against other processes, and let go of when its holder is killed', async () => {
  await using scratch = await createScratch()
  const lock = scratch.path('lock')
  const code = `const { withFileLock } = await import(${JSON.stringify(source)})
    await withFileLock(${JSON.stringify(lock)}, () => { console.log('held'); return new Promise(() => setInterval(() => {}, 1e6)) })`
  const child = Bun.spawn([process.execPath, '-e', code], { stdout: 'pipe', stderr: 'inherit' })
  expect(new TextDecoder().decode((await child.stdout.getReader().read()).value)).toBe('held\n')
  let isMine = false
  const mine = withFileLock(lock, async () => {
    isMine = true
  })
  const others = withFileLock(scratch.path('other'), async () => isMine)
  expect(await others).toBe(false)
  child.kill('SIGKILL')
  await child.exited
  await mine
  expect(isMine).toBe(true)
})
