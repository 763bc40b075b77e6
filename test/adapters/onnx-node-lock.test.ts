import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { createLockMemory, createProcessExclusion, freeLock } from '../../adapters/onnx-node/process-lock.ts'

const threadFile = new URL('fixtures/lock-thread.ts', import.meta.url)

function startThread(lock: SharedArrayBuffer, counter: SharedArrayBuffer, steps: number): Worker {
  return new Worker(threadFile, { workerData: { lock, counter, steps, holdForEver: steps === 0 } })
}

/** The first message of a thread; one that ends without a message gives its exit code. */
async function messageOf(thread: Worker): Promise<unknown> {
  const [first] = await Promise.race([once(thread, 'message'), once(thread, 'exit')])
  return first
}

describe('createProcessExclusion', () => {
  it('lets one thread in at a time', async () => {
    const [lock, counter] = [createLockMemory(), new SharedArrayBuffer(4)]
    const threads = [300, 300, 300].map((steps) => startThread(lock, counter, steps))
    expect(await Promise.all(threads.map(messageOf))).toEqual(['done', 'done', 'done'])
    expect(new Int32Array(counter)[0]).toBe(900)
    await Promise.all(threads.map((thread) => thread.terminate()))
  })

  it('keeps pieces of work of one thread apart too', async () => {
    const exclusive = createProcessExclusion(createLockMemory(), 0)
    let count = 0
    const step = async (): Promise<void> => {
      const before = count
      await Promise.resolve()
      count = before + 1
    }
    await Promise.all(Array.from({ length: 50 }, () => exclusive(step)))
    expect(count).toBe(50)
  })

  it('gives the lock back where the work fails', async () => {
    const memory = createLockMemory()
    const exclusive = createProcessExclusion(memory, 0)
    await expect(exclusive(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
    expect(new Int32Array(memory)[0]).toBe(0)
    expect(await exclusive(() => Promise.resolve(7))).toBe(7)
  })
})

describe('freeLock', () => {
  it('frees the lock of a thread that was terminated while it held it', async () => {
    const memory = createLockMemory()
    const holder = startThread(memory, new SharedArrayBuffer(4), 0)
    expect(await messageOf(holder)).toBe('holding')
    const { threadId } = holder
    const waiting = createProcessExclusion(memory, 0)(() => Promise.resolve('my turn'))
    await holder.terminate()
    expect(new Int32Array(memory)[0]).not.toBe(0)
    freeLock(memory, threadId)
    expect(await waiting).toBe('my turn')
  })

  it('leaves the lock of another thread alone', async () => {
    const memory = createLockMemory()
    const work = Promise.withResolvers<void>()
    const done = createProcessExclusion(memory, 3)(() => work.promise)
    freeLock(memory, 0)
    freeLock(memory, 4)
    expect(new Int32Array(memory)[0]).not.toBe(0)
    work.resolve()
    await done
    expect(new Int32Array(memory)[0]).toBe(0)
  })
})
