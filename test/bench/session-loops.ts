import type { ModelCaseName } from './model-case.ts'

/** What one loop is asked for. */
export interface LoopOrder {
  /** Requests in one run of the session. */
  readonly batch: number
  readonly seconds: number
}

/** Bare loops of `session.run`, each in a process of its own. */
export interface SessionLoops extends AsyncDisposable {
  readonly pids: readonly number[]
  /** Runs all loops at once; gives the requests per second of all together. */
  run(order: LoopOrder): Promise<number>
}

/** Starts so many loops of one model, and waits until each has its session. */
export async function startSessionLoops(model: ModelCaseName, count: number): Promise<SessionLoops> {
  const loops = Array.from({ length: count }, () => startLoop(model))
  const dispose = async (): Promise<void> => {
    await Promise.all(loops.map((loop) => loop.stop()))
  }
  try {
    await Promise.all(loops.map((loop) => loop.answer()))
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    pids: loops.map((loop) => loop.pid),
    async run(order) {
      const rates = await Promise.all(loops.map((loop) => loop.ask(order)))
      return rates.reduce((sum, rate) => sum + rate, 0)
    },
    [Symbol.asyncDispose]: dispose,
  }
}

function startLoop(model: ModelCaseName) {
  let next = Promise.withResolvers<unknown>()
  const path = new URL('./peers/session-loop.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, path, model], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (message) => next.resolve(message),
    onExit: (_, code, signal) => next.reject(new Error(`A loop of ${model} ended: ${signal ?? code}.`)),
  })
  return {
    pid: child.pid,
    answer: () => next.promise,
    async ask(order: LoopOrder): Promise<number> {
      next = Promise.withResolvers()
      child.send(order)
      return Number(await next.promise)
    },
    async stop(): Promise<void> {
      // Whoever waits for an answer has gone, or there is nobody.
      next.promise.catch(() => undefined)
      child.kill()
      await child.exited
    },
  }
}
