import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStaging } from '../../runtime/model/staging.ts'
import { createScratch } from './scratch.ts'

/** A process that is alive until it is killed, which happens when the test disposes of it. */
function startProcess(): { readonly pid: number } & AsyncDisposable {
  const child = Bun.spawn([process.execPath, '-e', 'setInterval(() => {}, 1e6)'])
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return text.split(') ')[1]?.split(' ')[19]
}

describe('openStaging', () => {
  it('sweeps out what dead processes left, and nothing that a living one works on', async () => {
    await using scratch = await createScratch()
    const directory = scratch.path('staging')
    let living = ''
    let reused = ''
    let deadPid = 0
    {
      await using child = startProcess()
      await using other = startProcess()
      deadPid = child.pid
      const start = (await startOf(other.pid)) ?? ''
      living = `${other.pid}.${start}.living.${hostname()}`
      reused = `${other.pid}.${start}1.reused.${hostname()}`
      await mkdir(join(directory, living), { recursive: true })
      await writeFile(join(directory, reused), 'half')
      await openStaging(directory)
      // Where there is no /proc the start is unknown, and a living process of that number is taken for the same.
      expect(await readdir(directory)).toEqual(start === '' ? [living, reused].toSorted() : [living])
    }
    await writeFile(join(directory, `${deadPid}..dead.${hostname()}`), 'half')
    await openStaging(directory)
    expect(await readdir(directory)).toEqual([])
  })

  it('leaves what another machine works on until it was not touched for a day', async () => {
    await using scratch = await createScratch()
    const directory = scratch.path('staging')
    const dayMs = 86_400_000
    for (const [name, ageMs] of [
      ['1.2.new.elsewhere', 0],
      ['1.2.old.elsewhere', dayMs + 1_000],
      ['of nobody', dayMs + 1_000],
    ] as const) {
      const path = await scratch.write(`staging/${name}`, 'half')
      await utimes(path, new Date(Date.now() - ageMs), new Date(Date.now() - ageMs))
    }
    await openStaging(directory)
    expect(await readdir(directory)).toEqual(['1.2.new.elsewhere'])
  })

  it('leaves nothing of what fails, and gives each maker a place of its own', async () => {
    await using scratch = await createScratch()
    const staging = await openStaging(scratch.path('staging'))
    const failing = staging.make(async (path) => {
      await mkdir(path)
      await writeFile(join(path, 'half'), '')
      throw new Error('no more')
    })
    await expect(failing).rejects.toThrow('no more')
    expect(await scratch.list('staging')).toEqual([])
    const made = await Promise.all(
      [1, 2].map(() => staging.make((path) => writeFile(path, '', { flag: 'wx' }))),
    )
    expect(new Set(made).size).toBe(2)
    await openStaging(scratch.path('staging'))
    expect(await scratch.list('staging')).toHaveLength(2)
  })

  it('lets the first of two folders stay, and the last of two files', async () => {
    await using scratch = await createScratch()
    const staging = await openStaging(scratch.path('staging'))
    for (const text of ['first', 'last']) {
      await staging.adopt(await staging.make((path) => writeFile(path, text)), scratch.path('file'))
      const makeFolder = async (path: string): Promise<void> => {
        await mkdir(path)
        await writeFile(join(path, 'file'), text)
      }
      await staging.adopt(await staging.make(makeFolder), scratch.path('folder'))
    }
    expect(await readFile(scratch.path('file'), 'utf8')).toBe('last')
    expect(await readFile(scratch.path('folder/file'), 'utf8')).toBe('first')
    expect(await scratch.list('staging')).toEqual([])
  })
})
