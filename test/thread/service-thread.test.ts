import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Progress, ProgressOptions } from '../../runtime/model/progress.ts'
import { ServiceThread } from '../../runtime/thread/service-thread.ts'

interface Methods {
  readonly [name: string]: (...parameters: never[]) => Promise<unknown>
  readonly echo: (text: string) => Promise<readonly string[]>
  readonly work: (
    options: ProgressOptions & { readonly bytes: Uint8Array },
  ) => Promise<readonly [string, { readonly bytes: Uint8Array }]>
  readonly fail: () => Promise<void>
  readonly die: () => Promise<void>
}

describe('ServiceThread', () => {
  let thread: ServiceThread<Methods>
  beforeEach(() => {
    thread = new ServiceThread<Methods>(new URL('./fixtures/mortal-thread.ts', import.meta.url), 'data')
  })
  afterEach(() => thread.close())

  it('brings each question its own answer', async () => {
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => thread.ask('echo', text)))
    expect(answers).toEqual([
      ['data', 'a'],
      ['data', 'b'],
      ['data', 'c'],
    ])
  })

  it('passes on what a method reports, and gives buffers away', async () => {
    const heard: Progress[] = []
    const bytes = new Uint8Array([7, 8])
    const onProgress = (progress: Progress): void => void heard.push(progress)
    const [, work] = await thread.askGiving([bytes.buffer], 'work', { bytes, onProgress })
    expect(work).toEqual({ bytes: new Uint8Array([7, 8]) })
    expect(heard).toEqual([{ doneBytes: 1, totalBytes: 2 }])
    expect(bytes.byteLength).toBe(0)
  })

  it('rejects with the error that the method threw', async () => {
    await expect(thread.ask('fail')).rejects.toMatchObject({ code: 'STORAGE_FULL', message: 'full' })
  })

  it('fails what is open when the thread dies, and starts another for the next question', async () => {
    await expect(thread.ask('die')).rejects.toThrow('has ended')
    expect(await thread.ask('echo', 'again')).toEqual(['data', 'again'])
  })
})
