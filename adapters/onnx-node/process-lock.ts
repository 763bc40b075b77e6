import type { Exclusion } from '../onnx/exclusion.ts'

/**
 * The memory of a lock between the threads of a process: make one in the main thread and hand it to every
 * thread that loads models. It holds the thread that has the lock, or 0.
 */
export type LockMemory = SharedArrayBuffer

/** Memory for a lock that nobody holds. */
export function createLockMemory(): LockMemory {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
}

/**
 * One piece of work at a time among all threads that share the memory, in no certain order. Waiting does not
 * block the thread.
 *
 * @param threadId the thread that asks, as `node:worker_threads` numbers it
 */
export function createProcessExclusion(memory: LockMemory, threadId: number): Exclusion {
  const holder = new Int32Array(memory)
  return async (work) => {
    await acquire(holder, holderOf(threadId))
    try {
      return await work()
    } finally {
      freeLock(memory, threadId)
    }
  }
}

/**
 * Gives the lock back for a thread, where it holds it. To be called when a thread has been terminated: it may
 * have held the lock, and nobody else would ever give it back.
 */
export function freeLock(memory: LockMemory, threadId: number): void {
  const holder = new Int32Array(memory)
  if (Atomics.compareExchange(holder, 0, holderOf(threadId), 0) === holderOf(threadId)) {
    Atomics.notify(holder, 0)
  }
}

async function acquire(holder: Int32Array<SharedArrayBuffer>, self: number): Promise<void> {
  let held = Atomics.compareExchange(holder, 0, 0, self)
  if (held === 0) return
  // Waiting on memory does not keep a thread's event loop alive: one that does nothing else would end here.
  const alive = setInterval(() => undefined, 60_000)
  try {
    while (held !== 0) {
      const waiting = Atomics.waitAsync(holder, 0, held)
      if (waiting.async) await waiting.value
      held = Atomics.compareExchange(holder, 0, 0, self)
    }
  } finally {
    clearInterval(alive)
  }
}

// The main thread is number 0, which here says that the lock is free.
function holderOf(threadId: number): number {
  return threadId + 1
}
